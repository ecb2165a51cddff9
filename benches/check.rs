//! What a check costs inside the engine. Prints one JSON object a line: `{"name", "ns", "least", "ratio", "allocs"}`.
//!
//! `ns` is the median over rounds of the mean time of a check of one resource with three actions, `least` the least
//! such mean, and `ratio` that over the least of the first row: on a machine that does other work as well, it changes
//! least. `allocs` are the heap allocations of one request; if there are any, the benchmark fails.
//!
//! Arguments: a number of rounds, and a part of the names of the rows to run. With one round and one row, a profiler
//! that counts instructions says what the check does: `valgrind --tool=callgrind --toggle-collect='*check_resources*'
//! target/release/deps/check-* 1 schemas`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on fails and says so"
)]

mod workload;

use std::process::ExitCode;
use std::time::Instant;

use workload::{ROWS, Row};

const ROUNDS: usize = 200;
const CHECKS: u32 = 2_000;

/// A row with its check and the mean times of the rounds so far, in ns.
struct Measured {
    row: &'static Row,
    check: Box<dyn FnMut()>,
    rounds: Vec<f64>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let rounds = arguments.iter().find_map(|it| it.parse().ok()).unwrap_or(ROUNDS);
    let wanted = arguments.iter().find(|it| it.parse::<usize>().is_err()).map_or("", String::as_str);
    let rows = ROWS.iter().filter(|row| row.name.contains(wanted));
    let mut measured: Vec<Measured> = rows
        .map(|row| Measured {
            row,
            check: Box::new(workload::check(row)),
            rounds: Vec::with_capacity(rounds),
        })
        .collect();
    // Row by row in each round, so that a busy moment of the machine hits all of them.
    for _ in 0..rounds {
        measured.iter_mut().for_each(Measured::round);
    }
    let first = measured.first().map_or(0.0, Measured::least);
    let allocations: Vec<u64> = measured.iter_mut().map(|it| it.report(first)).collect();
    if allocations.iter().any(|count| *count > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

impl Measured {
    fn round(&mut self) {
        let calls = CHECKS / self.row.resources;
        (0..calls / 10).for_each(|_| (self.check)());
        let start = Instant::now();
        (0..calls).for_each(|_| (self.check)());
        self.rounds.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CHECKS));
    }

    fn least(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Prints the row, and gives the heap allocations of a check.
    fn report(&mut self, first: f64) -> u64 {
        let allocations = allocation_counter::measure(&mut self.check).count_total;
        let least = self.least();
        self.rounds.sort_by(f64::total_cmp);
        let (name, median) = (self.row.name, self.rounds[self.rounds.len() / 2]);
        println!(
            "{{\"name\":\"{name}\",\"ns\":{median:.1},\"least\":{least:.1},\"ratio\":{:.2},\"allocs\":{allocations}}}",
            least / first
        );
        allocations
    }
}
