//! The system calls that the standard library lacks: epoll, eventfd, undoing a UDP connect, the limit of open
//! files, and the room on a disk. All unsafe code of the crate is here.

use std::{
    ffi::CString,
    io,
    mem::MaybeUninit,
    net::UdpSocket,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

/// Sockets that are looked at together. A socket leaves by being closed.
#[derive(Debug)]
pub(crate) struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
}

/// Sockets named in one wait.
const EVENTS: usize = 512;

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed; the descriptor returned is new and owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(checked(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        Ok(Self { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS] })
    }

    /// Reports `token` whenever `fd` can be read.
    pub(crate) fn add(&self, fd: &impl AsRawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: both descriptors are open for the length of the call, and the event is only read.
        checked(unsafe {
            libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event)
        })
        .map(drop)
    }

    /// Waits up to `timeout_ms` (-1 = for ever) and gives how many sockets are ready; ask `token` for each. A signal
    /// ends the wait with none.
    pub(crate) fn wait(&mut self, timeout_ms: i32) -> io::Result<usize> {
        // SAFETY: the kernel writes at most EVENTS events to a buffer of that length.
        let ready = unsafe {
            libc::epoll_wait(self.fd.as_raw_fd(), self.events.as_mut_ptr(), EVENTS as libc::c_int, timeout_ms)
        };
        match checked(ready) {
            Ok(ready) => Ok(ready as usize),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// The token of the n-th ready socket of the last wait.
    pub(crate) fn token(&self, index: usize) -> u64 {
        self.events[index].u64
    }
}

/// Wakes a thread that waits in epoll.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed; the descriptor returned is new and owned by nobody else.
        let fd = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: as above.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Rings; rings that were not heard yet are one.
    pub(crate) fn ring(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight bytes are read from an array of eight. It fails only when it rings already.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Silences it.
    pub(crate) fn hear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: eight bytes are written to an array of eight. It fails only when it does not ring.
        unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.as_raw_fd()
    }
}

/// Lets a connected socket hear everybody again. Its port stays, because it was bound to it by number.
pub(crate) fn disconnect(socket: &UdpSocket) -> io::Result<()> {
    let nobody = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    // SAFETY: the address lives for the call and its true length is given.
    checked(unsafe {
        libc::connect(socket.as_raw_fd(), &nobody, std::mem::size_of::<libc::sockaddr>() as libc::socklen_t)
    })
    .map(drop)
}

/// Lets the process open as many files as its hard limit allows: each endpoint takes two. Gives that number.
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes to a structure that lives for the call.
    checked(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the structure is only read.
    checked(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })?;
    Ok(limit.rlim_cur)
}

/// Bytes that an ordinary process may still write on the disk of this folder.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    let mut about = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends with a zero byte, and the kernel writes one structure to memory of its size.
    checked(unsafe { libc::statvfs(path.as_ptr(), about.as_mut_ptr()) })?;
    // SAFETY: it was filled in, for the call succeeded.
    let about = unsafe { about.assume_init() };
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn socket() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        socket
    }

    #[test]
    fn ready_sockets_are_named_by_their_tokens() {
        let (mut epoll, bell, here, there) =
            (Epoll::new().unwrap(), Bell::new().unwrap(), socket(), socket());
        epoll.add(&bell, 7).unwrap();
        epoll.add(&here, 8).unwrap();
        assert_eq!(epoll.wait(0).unwrap(), 0);
        there.send_to(b"x", here.local_addr().unwrap()).unwrap();
        assert_eq!((epoll.wait(5000).unwrap(), epoll.token(0)), (1, 8));
        bell.ring();
        bell.ring();
        assert_eq!(epoll.wait(5000).unwrap(), 2);
        bell.hear();
        assert_eq!((epoll.wait(5000).unwrap(), epoll.token(0)), (1, 8));
    }

    #[test]
    fn a_disconnected_socket_hears_others_on_the_same_port() {
        let probe = socket();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let (here, first, second) = (UdpSocket::bind(address).unwrap(), socket(), socket());
        here.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        here.connect(first.local_addr().unwrap()).unwrap();
        disconnect(&here).unwrap();
        assert_eq!(here.local_addr().unwrap(), address);
        second.send_to(b"x", address).unwrap();
        assert_eq!(here.recv_from(&mut [0; 8]).unwrap().1, second.local_addr().unwrap());
    }
}
