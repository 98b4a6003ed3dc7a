//! The examples of the rule book, played.

use crate::script::check_market;

const RULES: &str = include_str!("../../../../docs/matching.md");

/// What stands between fences and begins with a market.
fn examples() -> impl Iterator<Item = &'static str> {
    RULES
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix("text\n"))
        .filter(|block| block.starts_with("market "))
}

#[test]
fn the_examples_of_the_rule_book_are_as_it_says() {
    assert_eq!(examples().count(), 14, "an example with another fence is not played");
    for example in examples() {
        check_market(example);
    }
}
