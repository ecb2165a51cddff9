//! `check` as Node calls it, in Node's C interface: what napi's macro does around a call takes longer than reading three
//! arguments and returning a number.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, Error, JsError, Result, Status, sys};
use orthrus_host::{Answer, check_frame};

use crate::bytes::with_bytes;
use crate::engines;
use crate::error::Failure;
use crate::now;

const NAME: &std::ffi::CStr = c"check";

/// Adds `check(engine, frame, length)`, which decides a request in its compact form: the first bytes of a
/// `Uint8Array`.
#[allow(unsafe_code, reason = "see the module")]
pub(crate) fn define_check(env: Env, exports: &Object<'_>) -> Result<()> {
    let mut function = ptr::null_mut();
    // SAFETY: `env` and `exports` are those of the addon's initialisation, which is under way; `NAME` ends with a null
    // byte, and `check` lives as long as the addon and needs no data.
    unsafe {
        let length = NAME.count_bytes().cast_signed();
        done(sys::napi_create_function(
            env.raw(),
            NAME.as_ptr(),
            length,
            Some(check),
            ptr::null_mut(),
            &raw mut function,
        ))?;
        done(sys::napi_set_named_property(env.raw(), exports.raw(), NAME.as_ptr(), function))
    }
}

/// What Node calls. An error, or a panic, is thrown as an exception of JavaScript.
#[allow(unsafe_code, reason = "see the module")]
unsafe extern "C" fn check(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: Node hands over `env` and `info` for the length of this call.
    let answered = catch_unwind(AssertUnwindSafe(|| unsafe { answer(env, info) }));
    answered.unwrap_or_else(|_| Err(Failure::PANICKED.into())).unwrap_or_else(|error| {
        // SAFETY: as above.
        unsafe { JsError::from(error).throw_into(env) };
        ptr::null_mut()
    })
}

/// # Safety
/// `env` and `info` are those of the call that is under way.
#[allow(unsafe_code, reason = "see the module")]
unsafe fn answer(env: sys::napi_env, info: sys::napi_callback_info) -> Result<sys::napi_value> {
    let mut count = 3;
    let mut arguments = [ptr::null_mut(); 3];
    let (mut engine, mut length, mut value) = (0, 0, ptr::null_mut());
    // SAFETY: `env` and `info` are what the caller says. Node writes as many arguments as `count` says there is room
    // for, `undefined` where fewer are given; each other pointer leads to a variable of the type that it writes.
    let answer = unsafe {
        done(sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        ))?;
        let [number, frame, bytes] = arguments;
        done(sys::napi_get_value_uint32(env, number, &raw mut engine))?;
        done(sys::napi_get_value_uint32(env, bytes, &raw mut length))?;
        with_bytes(env, frame, length as usize, |frame| {
            engines::with(engine, |engine| check_frame(engine, frame, now))
        })??
    };
    // SAFETY: as above; Node copies the text.
    unsafe {
        done(match &answer {
            Answer::Mask(mask) => sys::napi_create_int32(env, *mask, &raw mut value),
            Answer::Text(text) => sys::napi_create_string_utf8(
                env,
                text.as_ptr().cast(),
                text.len().cast_signed(),
                &raw mut value,
            ),
        })?;
    }
    Ok(value)
}

fn done(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    Err(Error::new(Status::from(status), "the arguments are not those of `check`"))
}
