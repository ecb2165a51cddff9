//! A check allocates nothing on the heap: what it makes lives in an arena that is kept.

#![allow(clippy::panic, reason = "a test that cannot go on fails and says so")]

#[path = "../benches/workload/mod.rs"]
mod workload;

use workload::ROWS;

#[test]
fn the_checks_of_the_benchmark_allocate_nothing() {
    for row in ROWS.iter().filter(|row| row.policies < 1_000) {
        let mut check = workload::check(row);
        // The first few make the arena as large as it has to be, and fill the caches of regular expressions.
        (0..10).for_each(|_| check());
        let allocations = allocation_counter::measure(check).count_total;
        assert_eq!(allocations, 0, "{}", row.name);
    }
}
