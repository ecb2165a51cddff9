//! What loading policies leaves behind: the texts and trees that they were compiled from, freed in between what stays. glibc keeps such memory
//! for later, which with many policies is as much as they need themselves.

/// Gives memory that is free back to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "`malloc_trim` takes a number, and touches nothing but memory that is free")]
pub(crate) fn give_back() {
    // SAFETY: it may be called at any time and from any thread (malloc_trim(3): MT-Safe).
    unsafe { libc::malloc_trim(0) };
}

/// Others do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}
