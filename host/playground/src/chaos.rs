//! Trouble at random, by seed.

use crate::faults::Refusal;
use crate::{Playground, PlaygroundError};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Regions above which chaos merges instead of splitting.
const REGIONS_MAX: usize = 64;

/// Does one thing after the other to a playground; the same seed on the same keys and regions gives
/// the same trouble.
#[derive(Debug)]
pub struct Chaos {
    rng: StdRng,
}

impl Chaos {
    /// By seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    /// Does the next thing and says what it was.
    ///
    /// # Errors
    /// None that a running playground gives.
    pub fn step(&mut self, playground: &Playground) -> Result<&'static str, PlaygroundError> {
        let regions = playground.regions();
        let at = self.rng.random_range(0..regions.len().max(1));
        let Some(region) = regions.get(at) else {
            return Ok("nothing");
        };
        let stores = u64::from(playground.config().stores.max(1));
        let store = self.rng.random_range(1..=stores);
        Ok(match self.rng.random_range(0..8) {
            0 | 1 if regions.len() < REGIONS_MAX => match playground.middle_key(region.id) {
                Some(key) if playground.split(&key) => "split",
                _ => "nothing",
            },
            0..=2 if at + 1 < regions.len() && regions.len() > REGIONS_MAX / 2 => {
                playground.merge(region.id)?;
                "merge"
            }
            3 | 4 => {
                playground.move_leader(region.id, Some(store))?;
                "move leader"
            }
            5 => {
                playground.cut_streams(store)?;
                "cut streams"
            }
            6 => {
                let refusals = [Refusal::Busy(10), Refusal::Congested, Refusal::NotFound, Refusal::Unknown];
                playground.refuse_registrations(refusals[self.rng.random_range(0..refusals.len())], 1);
                "refuse"
            }
            _ => {
                playground.change_peers(region.id)?;
                "change peers"
            }
        })
    }
}
