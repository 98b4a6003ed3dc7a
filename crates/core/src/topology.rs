//! Which resting orders a taker can reach besides those across its own book: the groups of outcomes that
//! exclude each other, and the pair that is one ladder seen from both sides.

use crate::command::NewMarket;
use crate::event::OutcomeIndex;
use crate::line::{Line, LineError, LineProblem};
use crate::types::MarketModel;

/// How the outcomes of a market hang together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topology {
    /// Two exclusive binary outcomes: the second is the first, seen from the other side.
    pub(crate) pair: bool,
    /// Whether the outcomes are handicap or total lines.
    pub(crate) lines: bool,
    /// By outcome; without a group there are no sets.
    group_of: Vec<Option<u16>>,
    groups: Vec<Group>,
}

/// Outcomes of which exactly one wins, of a market that matches sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// Those that were not removed, in their order.
    pub(crate) members: Vec<OutcomeIndex>,
    /// Whether a set has traded: then none can join.
    pub(crate) set_traded: bool,
}

impl Topology {
    /// The topology that a market's outcomes make, or what is wrong with their names.
    pub(crate) fn of(spec: &NewMarket) -> Result<Self, LineError> {
        let binary = spec.model() == MarketModel::BinaryYes;
        let lines = if binary { check_shares(spec).map(|()| None)? } else { lines(spec)? };
        let mut topology = Self {
            pair: binary && !spec.independent && spec.runners.len() == 2,
            lines: lines.is_some(),
            group_of: vec![None; spec.runners.len()],
            groups: Vec::new(),
        };
        if spec.independent || !spec.synthetic || topology.pair {
            return Ok(topology);
        }
        for (outcome, place) in (0..).map(OutcomeIndex).zip(0..spec.runners.len()) {
            let opposite =
                |lines: &Vec<Line<'_>>| (0..place).find(|other| lines[*other].is_opposite(lines[place]));
            // In a market of lines an outcome joins its other side; elsewhere all are together.
            let joins = match &lines {
                Some(lines) => opposite(lines),
                None => place.checked_sub(1),
            };
            let group = joins.and_then(|other| topology.group_of[other]).unwrap_or_else(|| {
                topology.groups.push(Group::default());
                // There are no more groups than outcomes, and these are few.
                u16::try_from(topology.groups.len() - 1).unwrap_or(u16::MAX)
            });
            topology.group_of[place] = Some(group);
            topology.groups[usize::from(group)].members.push(outcome);
        }
        Ok(topology)
    }

    /// The group of an outcome.
    pub(crate) fn group(&self, outcome: OutcomeIndex) -> Option<&Group> {
        match &self.groups[..] {
            [] => None,
            // Every order asks, and most markets are one group of all: where there are groups, every outcome
            // has one.
            [all] => Some(all),
            groups => Some(&groups[usize::from(self.group_of[outcome.index()]?)]),
        }
    }

    pub(crate) fn group_mut(&mut self, outcome: OutcomeIndex) -> Option<&mut Group> {
        Some(&mut self.groups[usize::from(self.group_of[outcome.index()]?)])
    }

    /// All outcomes of an outcome's group, itself included; nobody where there are no sets.
    pub(crate) fn members(&self, outcome: OutcomeIndex) -> &[OutcomeIndex] {
        self.group(outcome).map_or(&[], |group| &group.members)
    }

    /// The topology of a market that there is. Names that would be refused today were taken once, and a
    /// journal is believed: then outcomes are just outcomes, without sets.
    pub(crate) fn of_taken(spec: &NewMarket) -> Self {
        Self::of(spec)
            .unwrap_or_else(|_| Self { group_of: vec![None; spec.runners.len()], ..Self::default() })
    }

    /// The topology of the same market with more outcomes: those that were removed stay so, and groups
    /// that have traded a set have.
    pub(crate) fn grown(&self, spec: &NewMarket) -> Result<Self, LineError> {
        let mut grown = Self::of(spec)?;
        for outcome in (0..).map(OutcomeIndex).take(self.group_of.len()) {
            let Some(before) = self.group(outcome) else { continue };
            if !self.members(outcome).contains(&outcome) {
                grown.remove(outcome);
            }
            if let Some(group) = grown.group_mut(outcome) {
                group.set_traded |= before.set_traded;
            }
        }
        Ok(grown)
    }

    /// Takes an outcome out of its group.
    pub(crate) fn remove(&mut self, outcome: OutcomeIndex) {
        if let Some(group) = self.group_mut(outcome) {
            group.members.retain(|member| *member != outcome);
        }
    }
}

/// In a binary market names are just names. But who lists lines as outcomes that exclude each other is
/// wrong about them: with four goals, `Over_2.5` and `Over_3.5` both pay, and no set could.
fn check_shares(spec: &NewMarket) -> Result<(), LineError> {
    let lines: Vec<_> =
        spec.runners.iter().filter_map(|runner| Line::parse(&runner.name).ok().flatten()).collect();
    let is_pair =
        || spec.runners.len() == 2 && matches!(lines[..], [a, b] if a.is_half() && a.is_opposite(b));
    match lines.first() {
        Some(line) if !spec.independent && spec.runners.len() > 1 && !is_pair() => {
            Err(LineError { name: line.to_string(), problem: LineProblem::NotExclusive })
        }
        _ => Ok(()),
    }
}

/// The lines that a market's outcomes are, or `None` if they are none.
fn lines(spec: &NewMarket) -> Result<Option<Vec<Line<'_>>>, LineError> {
    let error = |name: &str, problem| LineError { name: name.to_owned(), problem };
    let mut lines = Vec::with_capacity(spec.runners.len());
    let mut plain = None;
    for runner in &spec.runners {
        match Line::parse(&runner.name)? {
            Some(line) => lines.push(line),
            None => plain = Some(&runner.name),
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    if let Some(name) = plain {
        return Err(error(name, LineProblem::NotALine));
    }
    if let Some(line) = lines.iter().find(|line| line.is_quarter()) {
        let (near, far) = line.halves();
        return Err(error(&line.to_string(), LineProblem::Quarter(near.to_string(), far.to_string())));
    }
    let teams: Vec<_> = lines.iter().filter(|line| !line.is_total()).collect();
    let second = teams.iter().find(|line| line.team != teams[0].team);
    let third =
        teams.iter().find(|line| line.team != teams[0].team && second.is_some_and(|s| s.team != line.team));
    match third {
        Some(line) => Err(error(&line.to_string(), LineProblem::ThirdTeam)),
        None => Ok(Some(lines)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::NewRunner;
    use crate::types::RunnerId;

    fn with(mut spec: NewMarket, name: &str) -> NewMarket {
        spec.runners.push(NewRunner { id: RunnerId(99), name: name.to_owned() });
        spec
    }

    #[test]
    fn a_group_that_grows_keeps_what_was_removed_out_and_what_was_traded_in() {
        let spec = NewMarket::new("", ["Home", "Draw", "Away"]);
        let mut topology = Topology::of(&spec).expect("just names");
        let members = |topology: &Topology, outcome| {
            topology.members(OutcomeIndex(outcome)).iter().map(|member| member.0).collect::<Vec<_>>()
        };
        topology.remove(OutcomeIndex(1));
        let grown = topology.grown(&with(spec.clone(), "Ghost")).expect("just names");
        assert_eq!(members(&grown, 3), [0, 2, 3]);
        assert!(!grown.group(OutcomeIndex(0)).expect("a group").set_traded);
        topology.group_mut(OutcomeIndex(0)).expect("a group").set_traded = true;
        let grown = topology.grown(&with(spec, "Ghost")).expect("just names");
        assert!(grown.group(OutcomeIndex(3)).expect("a group").set_traded);
    }

    #[test]
    fn a_line_that_joins_leaves_other_groups_alone() {
        let spec = NewMarket::new("", ["Home_-0.5", "Away_+0.5", "Over_2.5"]);
        let mut topology = Topology::of(&spec).expect("lines");
        topology.group_mut(OutcomeIndex(1)).expect("a group").set_traded = true;
        let grown = topology.grown(&with(spec, "Under_2.5")).expect("lines");
        let traded = [0, 1, 2, 3].map(|o| grown.group(OutcomeIndex(o)).expect("a group").set_traded);
        assert_eq!(traded, [true, true, false, false]);
        assert_eq!(grown.members(OutcomeIndex(3)), [OutcomeIndex(2), OutcomeIndex(3)]);
    }
}
