//! The engine as a WebAssembly module that imports nothing. An instance holds one policy set.
//!
//! # How a host talks to it
//!
//! A host writes what it has to say into the input buffer, an address in the exported `memory`, and calls. Lengths are in bytes,
//! texts in UTF-8, instants in milliseconds since 1970. All exports but the buffers' return an `i32`:
//!
//! | status | meaning |
//! |---|---|
//! | 0 and above | a number: a mask of effects, a count, or 0 for "done" |
//! | −1 | a text, in the result buffer until the next call |
//! | −2 | a failure: its JSON is in the result buffer |
//!
//! | export | input | status |
//! |---|---|---|
//! | `input(length)` | | the buffer's address; it stays until the next `input`, `from_files` or `from_bundle`, which may also grow memory |
//! | `result_address()`, `result_length()` | | where the last text is |
//! | `warm_up()` | | −1, if all is well: see `orthrus_host::warm_up` |
//! | `from_files(files, options)` | JSON of so many bytes, JSON of so many bytes | 0 |
//! | `from_bundle(bundle, options)` | a bundle of so many bytes, JSON of so many bytes | 0 |
//! | `bundle()` | | −1: JSON, `null` where the policies came as text |
//! | `policy_count()` | | the number |
//! | `warnings()`, `principal_attributes()` | | −1: JSON |
//! | `resource_attributes(kind)` | the kind | −1: JSON |
//! | `reads_clock()` | | 1 if any policy reads the time |
//! | `check(frame, now)` | a request in its compact form | the mask, or −1: the answer as text |
//! | `check_json(request, now, audit)` | a request in JSON | the same |
//!
//! Loading replaces what was loaded, or changes nothing if it fails; it gives up the input buffer. Before anything is loaded, calls
//! fail with `ENGINE_CLOSED`. A panic is a trap, after which the instance is not to be used any more.

mod exports;
mod state;
