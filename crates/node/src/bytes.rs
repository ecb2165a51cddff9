//! Looking into a buffer of JavaScript: no copy, and none of the bookkeeping that napi does for `&[u8]`, which costs a
//! tenth of a whole check.

use std::ptr;

use napi::{Error, Result, Status, sys};

/// Runs with the first bytes of a `Uint8Array`.
///
/// # Safety
/// `env` and `array` are those of the call into the addon that is under way.
#[allow(unsafe_code, reason = "see the module")]
pub(crate) unsafe fn with_bytes<T>(
    env: sys::napi_env,
    array: sys::napi_value,
    length: usize,
    run: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    let (mut kind, mut size, mut start) = (0, 0, ptr::null_mut());
    // SAFETY: `env` and `array` are what the caller says; each pointer leads to a variable of the type that Node
    // writes, or is null where nothing is wanted.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            array,
            &raw mut kind,
            &raw mut size,
            &raw mut start,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok
        || kind != sys::TypedarrayType::uint8_array
        || start.is_null()
        || length > size
    {
        return Err(Error::new(Status::InvalidArg, "a Uint8Array of at least the given length is expected"));
    }
    // SAFETY: Node says that `size` bytes start there, and `length` is at most that. They stay where they are and as
    // they are while `run` has them: JavaScript, the only one to write them, waits for this call, and the array is
    // an argument of the call, so it is not collected. `run` calls nothing in JavaScript.
    Ok(run(unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) }))
}
