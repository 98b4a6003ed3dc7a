//! How engines end: a process that dies, power that goes, a journal that fails, and a stop in good order.

use betex::engine::rig::Turn;

use crate::failure::{Check, Checked, ensure};
use crate::listener::Listener;
use crate::world::World;

impl World {
    /// The process dies between two steps; what it has written is there.
    pub(crate) fn kill(&mut self) -> Checked {
        self.report.kills += 1;
        self.end();
        self.disk.kill();
        self.restart()
    }

    /// The power goes between two steps; what was not synced is there in part.
    pub(crate) fn cut_power(&mut self) -> Checked {
        self.look_at_gate()?;
        self.report.power_cuts += 1;
        self.end();
        self.disk.cut_power(Some(&mut self.dice));
        self.restart()
    }

    /// Whatever was in memory is gone.
    pub(crate) fn end(&mut self) {
        self.running = None;
        self.listeners.iter_mut().for_each(Listener::end);
        self.desk.lose(&mut self.dice);
    }

    /// The journal has failed: what was not through the gate before never will be. Then the process ends.
    pub(crate) fn fail(&mut self) -> Checked {
        self.report.journal_failures += 1;
        self.report.deaths += u64::from(self.disk.is_dead());
        let durable = self.rig().stats().durable_sequence;
        for _ in 0..2 {
            while self.dispatch()? == Turn::Worked {}
            let rig = self.rig();
            let (again, shown) = (rig.step_journaler().is_err(), rig.read().sequence());
            ensure(again && shown <= durable, Check::Failed, || {
                format!("the log failed at event {durable}, and {shown} was shown")
            })?;
        }
        self.crash()
    }

    pub(crate) fn crash(&mut self) -> Checked {
        if self.dice.chance(400) { self.kill() } else { self.cut_power() }
    }

    /// Takes no more, and lets everything that was taken flow through to its end.
    pub(crate) fn stop(&mut self) -> Checked {
        self.report.stops += 1;
        let lives = self.report.lives;
        self.disk.set_full(false);
        self.rig().stop();
        while self.rig().step_sequencer() != Turn::Finished {
            self.journal()?;
            if self.report.lives > lives {
                // The journal failed meanwhile, and the engine has been started again.
                return self.stop();
            }
            self.dispatch()?;
        }
        while self.journal()? != Turn::Finished {}
        if self.report.lives > lives {
            return self.stop();
        }
        while self.dispatch()? != Turn::Finished {}
        self.desk.all_answered()?;
        self.compare()?;
        let Self { listeners, truth, dice, .. } = self;
        listeners.iter_mut().try_for_each(|listener| listener.finish(truth, dice))?;
        self.end();
        if self.disk.is_dead() {
            // The machine stood still while the mark of the clean stop was written.
            self.report.deaths += 1;
            self.disk.cut_power(Some(&mut self.dice));
        }
        Ok(())
    }
}
