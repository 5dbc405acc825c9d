//! Where objects live: an allocator for many small ones that come and go on several threads, over pages of the
//! plain size.

/// `docs/benchmarks.md` has the difference.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Asks the kernel for no huge pages. Calls come and go: zeroing two megabytes for each first touch cost an eighth
/// of a call's set-up, and kept memory of calls long gone.
pub(crate) fn use_small_pages() {
    // SAFETY: sets a flag of this process; no pointers are passed.
    let refused = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) } != 0;
    if refused {
        tracing::debug!("huge pages stay: {}", std::io::Error::last_os_error());
    }
}
