//! What an instance holds.

use std::cell::RefCell;

use orthrus_host::{Answer, Failure, PolicySet};

/// What a call returns: see the table in the crate's documentation.
pub(crate) type Status = i32;

const TEXT: Status = -1;
const FAILURE: Status = -2;

/// A buffer that one huge input has blown up is not kept.
const KEEP_AT_MOST: usize = 1 << 20;

#[derive(Default)]
struct State {
    policies: Option<PolicySet>,
    input: Vec<u8>,
    result: Vec<u8>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Makes room for so many bytes of input, and gives its address.
pub(crate) fn reserve_input(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        if state.input.capacity() > KEEP_AT_MOST && length <= KEEP_AT_MOST {
            state.input = Vec::new();
        }
        state.input.resize(length, 0);
        state.input.as_mut_ptr()
    })
}

/// Where the last text is, and how long it is.
pub(crate) fn result() -> (*const u8, usize) {
    STATE.with_borrow(|state| (state.result.as_ptr(), state.result.len()))
}

/// Tells what came of something that needs neither input nor policies.
pub(crate) fn tell(answer: Result<Answer, Failure>) -> Status {
    STATE.with_borrow_mut(|state| state.tell(answer))
}

/// Loads policies from the input, which is taken for it.
pub(crate) fn load(open: impl FnOnce(&[u8]) -> Result<PolicySet, Failure>) -> Status {
    STATE.with_borrow_mut(|state| {
        let input = std::mem::take(&mut state.input);
        let opened = open(&input);
        drop(input);
        let loaded = opened.map(|policies| {
            state.policies = Some(policies);
            Answer::Mask(0)
        });
        state.tell(loaded)
    })
}

/// Asks the policies something. `length` bytes of input belong to the question.
pub(crate) fn ask(
    length: usize,
    question: impl FnOnce(&PolicySet, &[u8]) -> Result<Answer, Failure>,
) -> Status {
    STATE.with_borrow_mut(|state| {
        let answer = match (&state.policies, state.input.get(..length)) {
            (Some(policies), Some(input)) => question(policies, input),
            (Some(_), None) => Err(Failure::Answer("the input is longer than its buffer".to_owned())),
            (None, _) => Err(Failure::Closed),
        };
        state.tell(answer)
    })
}

impl State {
    fn tell(&mut self, answer: Result<Answer, Failure>) -> Status {
        let (status, text) = match answer {
            Ok(Answer::Mask(mask)) => return mask,
            Ok(Answer::Text(text)) => (TEXT, text),
            Err(failure) => (FAILURE, failure.to_json().to_string()),
        };
        self.result = text.into_bytes();
        status
    }
}
