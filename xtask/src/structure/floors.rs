//! The crate graph: imports go down, never up and never sideways (ARCHITECTURE.md).

use anyhow::Result;
use serde_json::Value;

use super::report;
use crate::workspace::Workspace;

/// Where a package stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// On a floor: uses what is below.
    Floor(u8),
    /// The generated wire types: use nothing of ours; for floor 4.
    Wire,
    /// For tests, and uses any floor below 4, and what stands alone.
    TestSupport,
    /// For tests, and uses nothing at all, so that it can share nothing.
    Alone,
    /// Beside the house: uses nothing of ours, nobody uses it.
    Outside,
}

const PLACES: [(&str, Place); 10] = [
    ("betex-core", Place::Floor(1)),
    ("betex-journal", Place::Floor(2)),
    ("betex", Place::Floor(3)),
    ("betex-server", Place::Floor(4)),
    ("betex-bench", Place::Floor(4)),
    ("betex-proto", Place::Wire),
    ("betex-sim", Place::TestSupport),
    ("betex-naive", Place::Alone),
    ("betex-fuzz", Place::Alone),
    ("xtask", Place::Outside),
];

/// Holds the graph to the list above.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    report(&problems(workspace))
}

/// What is wrong with the graph.
pub(super) fn problems(workspace: &Workspace) -> Vec<String> {
    workspace.packages.iter().flat_map(problems_of).collect()
}

fn problems_of(package: &Value) -> Vec<String> {
    let name = text(package, "name");
    let Some(place) = place_of(name) else {
        return vec![format!("{name}: has no floor; give it one in xtask/src/structure/floors.rs")];
    };
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    let used = dependencies.iter().filter(|used| !allowed(place, used));
    used.map(|used| {
        let (used, kind) = (text(used, "name"), used["kind"].as_str().unwrap_or("normal"));
        format!("{name} ({place:?}) must not have the {kind} dependency {used} ({:?})", place_of(used))
    })
    .collect()
}

fn allowed(place: Place, used: &Value) -> bool {
    let for_tests = used["kind"].as_str() == Some("dev");
    let Some(other) = place_of(text(used, "name")) else {
        return place != Place::Alone;
    };
    match (place, other) {
        (Place::Floor(upper), Place::Floor(lower)) => lower < upper,
        (Place::Floor(4), Place::Wire) => true,
        (Place::Floor(_), Place::TestSupport | Place::Alone) => for_tests,
        (Place::TestSupport, Place::Floor(lower)) => lower < 4,
        (Place::TestSupport, Place::Alone) => true,
        _ => false,
    }
}

fn place_of(package: &str) -> Option<Place> {
    PLACES.iter().find(|(name, _)| *name == package).map(|(_, place)| *place)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn imports_go_down_only() {
        for (package, used, kind, fine) in [
            ("betex-core", "thiserror", None, true),
            ("betex-core", "betex-naive", Some("dev"), true),
            ("betex-core", "betex-naive", None, false),
            ("betex-core", "betex-journal", Some("dev"), false),
            ("betex-journal", "betex-core", None, true),
            ("betex", "betex-proto", None, false),
            ("betex-server", "betex", None, true),
            ("betex-server", "betex-proto", None, true),
            ("betex-bench", "betex-server", Some("dev"), false),
            ("betex-proto", "betex-core", None, false),
            ("betex-naive", "betex-core", Some("dev"), false),
            ("betex-naive", "thiserror", None, false),
            ("betex-sim", "betex", None, true),
            ("betex-sim", "betex-naive", None, true),
            ("betex-sim", "betex-server", None, false),
            ("xtask", "betex-core", None, false),
        ] {
            let package = json!({"name": package, "dependencies": [{"name": used, "kind": kind}]});
            assert_eq!(problems_of(&package).is_empty(), fine, "{package}");
        }
        assert_eq!(problems_of(&json!({"name": "betex-attic", "dependencies": []})).len(), 1);
    }
}
