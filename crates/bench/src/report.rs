//! Figures, as people and as programs read them.

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// One line of figures.
#[derive(Debug)]
pub struct Figures {
    /// What was measured, such as `core direct` or `engine closed 8192`.
    pub name: String,
    /// The figures, in the order in which they are printed.
    pub values: Vec<(&'static str, f64)>,
}

impl Figures {
    /// An empty line of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: Vec::new() }
    }

    /// The same line with one figure more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.values.push((name, value));
        self
    }

    /// The same line with the percentiles of latencies that were recorded in nanoseconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn with_latency(mut self, latency: &Histogram<u64>) -> Self {
        for (name, quantile) in [("p50_us", 0.5), ("p99_us", 0.99), ("p99.9_us", 0.999)] {
            self.values.push((name, latency.value_at_quantile(quantile) as f64 / 1_000.0));
        }
        self
    }

    /// The figures as one JSON object.
    pub fn json(&self) -> Value {
        let mut line = json!({ "name": self.name });
        for (name, value) in &self.values {
            line[*name] = json!(value);
        }
        line
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<28}", self.name)?;
        for (name, value) in &self.values {
            if *value >= 1_000.0 || value.fract() == 0.0 {
                write!(f, "  {name} {value:.0}")?;
            } else {
                write!(f, "  {name} {value:.3}")?;
            }
        }
        Ok(())
    }
}

/// A histogram of nanoseconds up to a minute, to three digits.
pub fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid")
}
