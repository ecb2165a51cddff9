//! The file of `docs/routes.md` is in order, and passes its own tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use orthrus::text::Source;
use orthrus_gateway::Routes;

#[test]
fn the_example_passes_its_tests() {
    let text = include_str!("../../../docs/routes.md");
    let (_, rest) = text.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let file = Routes::from_source(&Source::new("docs/routes.md", example)).unwrap();
    assert_eq!((file.routes.len(), file.tests.len()), (3, 3));
    for test in &file.tests {
        test.run(&file.routes).unwrap_or_else(|failure| panic!("{failure}"));
    }
}
