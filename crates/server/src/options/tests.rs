use super::*;

fn resolve(file: &str, flags: &[&str]) -> Result<Options, OptionsError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.toml");
    std::fs::write(&path, file).unwrap();
    let config = ["server", "--config", path.to_str().unwrap()];
    Args::parse_from(config.iter().chain(flags)).resolve()
}

#[test]
fn flags_go_before_the_file_and_the_file_before_defaults() {
    let options =
        resolve("grpc-port = 1\nhttp-port = 2\ndurability = 'none'", &["--grpc-port", "3"]).unwrap();
    let expected = Options { grpc_port: 3, http_port: 2, durability: Durability::None, ..Options::default() };
    assert_eq!(options, expected);
    for (file, flags, pace) in [
        ("", &[][..], 20_000),
        ("job-orders-per-s = 500", &[], 500),
        ("job-orders-per-s = 500", &["--job-orders-per-s", "0"], 0),
    ] {
        assert_eq!(resolve(file, flags).unwrap().job_orders_per_s, pace);
    }
}

#[test]
fn what_is_said_reaches_the_engine() {
    let file = "segment-bytes = 1048576\nsnapshot-every-segments = 2\nretention-bytes = 0\nretention-s = 60";
    let engine = resolve(file, &["--retention-s", "0", "--closed-market-ttl-s", "2"]).unwrap().engine();
    assert_eq!(engine.limits.closed_market_ttl_ms, 2_000);
    assert_eq!((engine.segment_bytes, engine.snapshot_every_segments), (1 << 20, 2));
    assert_eq!((engine.retention_bytes, engine.retention_age), (0, Duration::ZERO));
}

#[test]
fn a_path_that_nobody_means_is_refused() {
    for (path, words) in [
        ("", "it is empty"),
        ("a\nb", "has a control character"),
        ("\u{1b}[2J", "has a control character"),
        ("data ", "\"data\" would be valid"),
    ] {
        let in_file = resolve(&format!("data-dir = {path:?}").replace("\\u{1b}", "\\u001b"), &[]);
        // Of an empty flag clap says it.
        let flag = (!path.is_empty()).then(|| resolve("", &["--data-dir", path]));
        for said in [Some(in_file), flag].into_iter().flatten() {
            let said = said.unwrap_err().to_string();
            assert!(said.starts_with("data-dir: ") && said.contains(words), "{path:?}: {said}");
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }
}

#[test]
fn every_bound_reaches_the_engine() {
    let file = "max-markets = 1\nmax-market-bytes = 2\nmax-users = 3\nmax-users-per-market = 4\n\
        max-resting-orders = 5\nmax-resting-orders-per-user = 6\nmax-client-ids = 7\n\
        max-client-ids-per-market = 8\nmax-client-ids-per-user = 9\nnew-users-per-s = 10\n\
        new-markets-per-s = 11";
    let options = resolve(file, &["--max-users", "33", "--closed-market-ttl-s", "0"]).unwrap();
    let limits = betex::book::Limits {
        markets: 1,
        market_bytes: 2,
        accounts: 33,
        accounts_per_market: 4,
        resting_orders: 5,
        resting_orders_per_account: 6,
        client_ids: 7,
        client_ids_per_market: 8,
        client_ids_per_account: 9,
        closed_market_ttl_ms: 0,
    };
    assert_eq!(options.engine().limits, limits);
    assert_eq!((options.bounds.new_users_per_s, options.bounds.new_markets_per_s), (10, 11));
    assert_eq!(Options::default().bounds.limits(0), betex::book::Limits::default());
}

#[test]
fn an_unknown_key_is_an_error_that_says_where() {
    let error = resolve("bind = '127.0.0.1'\ngrpc_port = 1\n", &[]).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("`grpc_port`") && error.contains("`grpc-port`"),
        "{error}"
    );
    assert!(resolve("durability = 'sometimes'", &[]).is_err());
    assert!(resolve("grpc-port = 70000", &[]).is_err());
}

#[test]
fn the_smallest_order_is_at_least_a_penny_and_no_more_than_an_order_may_be_for() {
    for (file, flags, pennies) in [
        ("", &[][..], 1),
        ("min-quantity = 100", &[], 100),
        ("min-quantity = 100", &["--min-quantity", "200"], 200),
        ("min-quantity = 1000000000000", &[], 1_000_000_000_000),
    ] {
        assert_eq!(resolve(file, flags).unwrap().min_quantity, pennies);
    }
    for bad in ["0", "-5", "1000000000001"] {
        let error = resolve(&format!("\nmin-quantity = {bad}"), &[]).unwrap_err().to_string();
        let words = format!("line 2: min-quantity: {bad} is not valid: 1 to 1000000000000 pennies are valid");
        assert!(error.contains(&words), "{error}");
    }
    assert!(resolve("min-quantity = 'much'", &[]).is_err());
}
