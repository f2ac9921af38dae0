//! A way to a broker that cuts the connection when a transaction is to be committed, before the answer comes back.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// `EndTxn`, by which a producer commits.
const END_TXN: i16 = 26;

/// The largest frame that is taken.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// Listens on a port of its own and hands everything on, but for answers to commits.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cuts: Arc<AtomicU32>,
    wanted: Arc<AtomicU32>,
}

impl Proxy {
    /// To the broker on `port` of this machine.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (cuts, wanted) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
        let proxy =
            Self { port: listener.local_addr().unwrap().port(), cuts: cuts.clone(), wanted: wanted.clone() };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(broker) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (mut back_from, mut back_to) = (broker.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || {
                    // Either side may go at any time.
                    let _ = io::copy(&mut back_from, &mut back_to);
                    let _ = back_to.shutdown(Shutdown::Both);
                });
                let (cuts, wanted) = (cuts.clone(), wanted.clone());
                thread::spawn(move || hand_on(client, broker, &cuts, &wanted));
            }
        });
        proxy
    }

    /// Cuts the next `count` commits.
    pub(crate) fn cut_next(&self, count: u32) {
        self.wanted.fetch_add(count, Ordering::SeqCst);
    }

    /// How many commits were cut by now.
    pub(crate) fn cuts(&self) -> u32 {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn hand_on(mut client: TcpStream, mut broker: TcpStream, cuts: &AtomicU32, wanted: &AtomicU32) {
    while let Ok(frame) = frame(&mut client) {
        let api = frame.get(4..6).map_or(-1, |api| i16::from_be_bytes([api[0], api[1]]));
        let one_less = |count: u32| count.checked_sub(1);
        let cut = api == END_TXN && wanted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        if cut {
            // The answer finds nobody any more; the request arrives.
            let _ = client.shutdown(Shutdown::Both);
        }
        if broker.write_all(&frame).is_err() {
            break;
        }
        if cut {
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
    }
    // Not the broker's side at once: what was handed over is to be read there.
    let _ = broker.shutdown(Shutdown::Write);
}

/// The next request, its length in front.
fn frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let bytes = u32::from_be_bytes(length) as usize;
    if bytes > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = length.to_vec();
    frame.resize(4 + bytes, 0);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}
