//! What the program makes of its environment, and of options that nobody can mean.

use std::path::Path;

use crate::harness::{Running, command, wait};

/// A start on free ports with these variables that fails: the exit code, and what was said.
fn failing_with(variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = command(&["--grpc-port", "0", "--http-port", "0", "--bind", "127.0.0.1"]);
    command.args(arguments).envs(variables.iter().copied());
    let mut child = command.spawn().unwrap();
    let status = wait(&mut child);
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    (status.code(), said)
}

#[test]
fn a_variable_that_is_no_option_is_refused_and_names_the_nearest() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let data = data.to_str().unwrap();
    for (name, words) in [
        ("BETEX_DATADIR", "BETEX_DATADIR: the server has no such option; the nearest is BETEX_DATA_DIR"),
        ("BETEX_GRPC_PROT", "the nearest is BETEX_GRPC_PORT"),
        ("BETEX_SEGMENTS_BYTES", "the nearest is BETEX_SEGMENT_BYTES"),
        ("Betex_Bind", "the nearest is BETEX_BIND"),
        ("BETEX_COLOUR", "valid are BETEX_GRPC_PORT, BETEX_HTTP_PORT"),
    ] {
        // An empty one, too: it was meant to say something.
        for value in ["1", ""] {
            let (code, said) = failing_with(&[(name, value)], &["--data-dir", data]);
            assert_eq!(code, Some(2), "{name}: {said}");
            assert!(said.starts_with("error: ") && said.contains(words), "{name}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    assert!(!Path::new(data).exists(), "a start that was refused made something");
}

#[test]
fn an_empty_variable_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut command = command(&["--grpc-port", "0", "--http-port", "0", "--bind", "127.0.0.1"]);
    command.current_dir(directory.path());
    for name in [
        "GRPC_PORT",
        "HTTP_PORT",
        "DATA_DIR",
        "BIND",
        "DURABILITY",
        "SEGMENT_BYTES",
        "MIN_QUANTITY",
        "CONFIG",
    ] {
        command.env(format!("BETEX_{name}"), "");
    }
    let server = Running::try_launch(command, &data).unwrap();
    assert!(server.greeting.contains("Durability: always."), "{}", server.greeting);
    server.stop();
    assert!(data.join("journal.log").exists(), "the default directory is used");
}

#[test]
fn values_with_control_characters_or_blanks_around_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let inside = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    for (path, words) in [
        (inside("da\nta"), "has a control character"),
        (inside("da\u{1b}[31mta"), "has a control character"),
        (inside("data\t"), "has a control character"),
        (inside("data "), "begins or ends with a blank"),
    ] {
        for (variables, arguments) in
            [(&[("BETEX_DATA_DIR", path.as_str())][..], &[][..]), (&[], &["--data-dir", path.as_str()][..])]
        {
            let (code, said) = failing_with(variables, arguments);
            assert_eq!(code, Some(2), "{path:?}: {said}");
            assert!(said.contains(words), "{path:?}: {said}");
            assert_eq!(said.lines().count(), 1, "{said:?}");
            assert!(!said.trim_end().contains(char::is_control), "{said:?}");
        }
    }
    let (code, said) = failing_with(&[("BETEX_SEGMENT_BYTES", " 1048576")], &["--data-dir", &inside("data")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("BETEX_SEGMENT_BYTES") && said.contains("\"1048576\" would be valid"), "{said}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_filter_of_the_log_that_is_none_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (code, said) = failing_with(&[("RUST_LOG", "info,=,=")], &["--data-dir", data.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("error: RUST_LOG: \"info,=,=\" is no filter"), "{said}");
    assert!(!data.exists());
}

#[test]
fn the_log_has_no_colours_where_nobody_sees_them() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut command = command(&["--grpc-port", "0", "--http-port", "0", "--bind", "127.0.0.1", "--data-dir"]);
    // Everything is logged, so that there is something to look at.
    let mut child = command.arg(&data).env("RUST_LOG", "trace").spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut err = child.stderr.take().unwrap();
    let logged = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut err, &mut bytes).map(|_| bytes)
    });
    let mut line = String::new();
    while !line.contains("Ready.") {
        line.clear();
        assert!(
            std::io::BufRead::read_line(&mut out, &mut line).unwrap() > 0,
            "it ended before it was ready"
        );
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .unwrap();
    assert_eq!(wait(&mut child).code(), Some(0));
    let logged = logged.join().unwrap().unwrap();
    assert!(!logged.is_empty(), "nothing was logged");
    assert!(!logged.contains(&0x1b), "{}", String::from_utf8_lossy(&logged));
}
