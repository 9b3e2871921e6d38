//! The sockets of a server. IPv4 and IPv6 are served alike, where the machine has both.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

/// Connections that may wait to be accepted, as the library has it for other sockets.
const BACKLOG: i32 = 1024;

/// How often the system chooses a port for both loopback addresses.
const CHOICES: u32 = 8;

/// One port, on one address or more.
#[derive(Debug)]
pub struct Listener(Vec<TcpListener>);

impl Listener {
    /// Listens on an address. The unspecified address of IPv6 takes both families, and IPv4 alone
    /// where there is no IPv6.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        if address.ip() != Ipv6Addr::UNSPECIFIED {
            return Ok(TcpListener::bind(address).await?.into());
        }
        match bind_both_families(address) {
            Err(error) if has_no_family(&error) => {
                let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
                Ok(TcpListener::bind(any).await?.into())
            }
            listener => Ok(listener?.into()),
        }
    }

    /// Listens on one port of both loopback addresses, or of the one that the machine has. With 0
    /// the system chooses the port.
    pub async fn bind_loopback(port: u16) -> io::Result<Self> {
        // The system chooses a port that is free on the first address; on the second it may be
        // taken.
        for _ in 1..CHOICES {
            match Self::bind_both_loopbacks(port).await {
                Err(error) if port == 0 && error.kind() == io::ErrorKind::AddrInUse => {}
                bound => return bound,
            }
        }
        Self::bind_both_loopbacks(port).await
    }

    async fn bind_both_loopbacks(port: u16) -> io::Result<Self> {
        let mut listeners: Vec<TcpListener> = Vec::with_capacity(2);
        let mut missing = None;
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let port = match listeners.first() {
                Some(first) => first.local_addr()?.port(),
                None => port,
            };
            match TcpListener::bind((address, port)).await {
                Ok(listener) => listeners.push(listener),
                Err(error) if has_no_family(&error) => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if listeners.is_empty() => Err(error),
            _ => Ok(Self(listeners)),
        }
    }

    /// The address, the first of several.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0[0].local_addr()
    }

    /// Accepts a connection on any of the addresses.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = poll_fn(|context| {
            let mut polled = self.0.iter().map(|it| it.poll_accept(context));
            polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
        });
        accepted.await
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(vec![listener])
    }
}

/// Listens on an address of IPv6 for IPv4 as well, whatever `net.ipv6.bindv6only` says.
fn bind_both_families(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_only_v6(false)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Whether the machine lacks the family or the address.
fn has_no_family(error: &io::Error) -> bool {
    // The standard library has no kind for EAFNOSUPPORT.
    const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = 97;
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(ADDRESS_FAMILY_NOT_SUPPORTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_is_taken_on_every_loopback_address_that_there_is() {
        let listener = Listener::bind_loopback(0).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let there = [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        for address in there {
            let client = TcpStream::connect((address, port)).await.unwrap();
            let (_, peer) = listener.accept().await.unwrap();
            assert_eq!(client.local_addr().unwrap(), peer);
            let taken = TcpListener::bind((address, port)).await.unwrap_err();
            assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        }
        let again = Listener::bind_loopback(port).await.unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn the_unspecified_address_takes_both_families() {
        let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let listener = Listener::bind(any).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let client = TcpStream::connect((address, port)).await.unwrap();
            listener.accept().await.unwrap();
            drop(client);
        }
    }
}
