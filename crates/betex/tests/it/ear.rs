//! What the engine tells its operator, in all tests of this process: what it logs and what it counts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

#[derive(Clone, Default)]
struct Ear {
    lines: Arc<Mutex<Vec<String>>>,
    counters: Arc<Mutex<HashMap<String, Arc<AtomicU64>>>>,
}

static EAR: LazyLock<Ear> = LazyLock::new(|| {
    let ear = Ear::default();
    tracing::subscriber::set_global_default(ear.clone()).unwrap();
    metrics::set_global_recorder(ear.clone()).map_err(|error| error.to_string()).unwrap();
    ear
});

/// Listens from now on.
pub(crate) fn listen() {
    LazyLock::force(&EAR);
}

/// The lines that were logged since somebody listens and have all of these words in them.
pub(crate) fn said(words: &[&str]) -> usize {
    let lines = EAR.lines.lock().unwrap();
    lines.iter().filter(|line| words.iter().all(|words| line.contains(words))).count()
}

/// What was counted since somebody listens.
pub(crate) fn counted(name: &str) -> u64 {
    EAR.counters.lock().unwrap().get(name).map_or(0, |count| count.load(Ordering::SeqCst))
}

impl tracing::Subscriber for Ear {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event()
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = format!("{} ", event.metadata().level());
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            line += &format!("{field}={value:?} ");
        });
        self.lines.lock().unwrap().push(line);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

impl Recorder for Ear {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.counters.lock().unwrap().entry(key.name().to_owned()).or_default()))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
