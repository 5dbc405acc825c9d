//! Where objects live: an allocator for many small ones that come and go on several threads, over pages of the
//! plain size.

/// Against the system's allocator it was not measured here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Asks the kernel for no huge pages: zeroing two megabytes at a first touch cost an eighth of a call's set-up at
/// 1,000 calls/s, and a fifth more memory was held.
pub(crate) fn use_small_pages() {
    // SAFETY: sets a flag of this process; no pointers are passed.
    let refused = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) } != 0;
    if refused {
        tracing::debug!("huge pages stay: {}", std::io::Error::last_os_error());
    }
}
