//! Reading a string of JavaScript into a buffer that is used again: one call, one copy.

use std::cell::Cell;
use std::ptr;

use napi::bindgen_prelude::{JsValue, Unknown};
use napi::{Env, Error, Result, Status, sys};

/// Buffers that one huge string has blown up are not kept.
const KEEP_AT_MOST: usize = 1 << 20;
/// Node fills a buffer up to its last whole character and a zero byte: with more room left than those can
/// take, nothing was cut off.
const SLACK: usize = 5;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Runs with the text of a JavaScript string.
pub(crate) fn with_text<T>(env: Env, value: &Unknown<'_>, run: impl FnOnce(&str) -> T) -> Result<T> {
    let mut buffer = BUFFER.take();
    if buffer.is_empty() {
        buffer.resize(4096, 0);
    }
    let mut length = read(env, value, Some(&mut buffer))?;
    if length + SLACK > buffer.len() {
        buffer.resize(read(env, value, None)? + SLACK, 0);
        length = read(env, value, Some(&mut buffer))?;
    }
    let bytes = buffer.get(..length).unwrap_or_default();
    let text =
        std::str::from_utf8(bytes).map_err(|error| Error::new(Status::StringExpected, error.to_string()));
    let result = text.map(run);
    if buffer.len() <= KEEP_AT_MOST {
        BUFFER.set(buffer);
    }
    result
}

/// Copies the string's UTF-8 into the buffer and gives the number of bytes copied; without a buffer, the number
/// of bytes that the whole string takes.
#[allow(unsafe_code, reason = "napi offers no reading into a buffer of one's own")]
fn read(env: Env, value: &Unknown<'_>, buffer: Option<&mut Vec<u8>>) -> Result<usize> {
    let (start, size) = buffer.map_or((ptr::null_mut(), 0), |buffer| (buffer.as_mut_ptr(), buffer.len()));
    let mut length = 0;
    // SAFETY: `start` is null, or the start of `size` bytes that nobody else uses during the call; Node writes at
    // most `size` bytes. `env` and `value` are those of the call into the addon that is under way.
    let status = unsafe {
        sys::napi_get_value_string_utf8(env.raw(), value.raw(), start.cast(), size, &raw mut length)
    };
    if status == sys::Status::napi_ok {
        return Ok(length);
    }
    Err(Error::new(Status::StringExpected, "a string is expected".to_owned()))
}
