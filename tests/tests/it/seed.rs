//! Random numbers that can be drawn again.

use fastrand::Rng;

/// Draws what an earlier run drew: `ANNALS_SEED=…`, as that run printed it.
const SEED_VARIABLE: &str = "ANNALS_SEED";

/// A generator whose seed is printed, so that a failed run can be repeated as far as the scheduler lets it.
pub(crate) fn rng() -> Rng {
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("{SEED_VARIABLE}={seed} is no number")),
        Err(_) => fastrand::u64(..),
    };
    println!("{SEED_VARIABLE}={seed}");
    Rng::with_seed(seed)
}
