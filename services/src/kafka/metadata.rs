//! The one question that is asked to learn whether a broker is there: who belongs to the cluster?

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long one question may take. It is asked again, so a slow answer is only a late one.
const ANSWER_MS_MAX: u64 = 2_000;

/// More than the answer about a cluster of one.
const ANSWER_BYTES_MAX: u32 = 64 * 1024;

/// A request Metadata, version 4, for no topic at all; nobody's name, correlation 1. Big-endian, as all of Kafka.
const REQUEST: [u8; 19] = [
    0, 0, 0, 15, // bytes that follow
    0, 3, 0, 4, // Metadata, version 4
    0, 0, 0, 1, // correlation
    0xff, 0xff, // no client id
    0, 0, 0, 0, // no topics
    0, // and none is made
];

/// Whether the broker behind `port` of this machine answers, and counts itself to the cluster, at whatever port it
/// says: it is then registered, has read its metadata and serves.
pub(super) fn answers(port: u16) -> bool {
    ask(port).is_ok_and(|answer| ports(&answer).is_some_and(|ports| !ports.is_empty()))
}

fn ask(port: u16) -> io::Result<Vec<u8>> {
    let wait = Duration::from_millis(ANSWER_MS_MAX);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    stream.write_all(&REQUEST)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length).min(ANSWER_BYTES_MAX);
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// The ports of the brokers in an answer; `None` when it is none.
fn ports(answer: &[u8]) -> Option<Vec<i32>> {
    let mut rest = answer;
    let _correlation = number(&mut rest)?;
    let _throttled_ms = number(&mut rest)?;
    let count = number(&mut rest)?;
    let mut ports = Vec::new();
    for _ in 0..count {
        let _node = number(&mut rest)?;
        skip_text(&mut rest)?; // host
        ports.push(number(&mut rest)?);
        skip_text(&mut rest)?; // rack
    }
    Some(ports)
}

fn number(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(i32::from_be_bytes(*bytes))
}

/// Passes over a text; one of length -1 is none.
fn skip_text(rest: &mut &[u8]) -> Option<()> {
    let (bytes, behind) = rest.split_first_chunk()?;
    let length = usize::try_from(i16::from_be_bytes(*bytes)).unwrap_or(0);
    *rest = behind.get(length..)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_the_cluster_are_read_from_an_answer() {
        let answer = b"\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x01\0\x09127.0.0.1\0\0\x23\x84\xff\xff\0\x02id";
        assert_eq!(ports(answer), Some(vec![9092]));
        assert_eq!(ports(&answer[..20]), None);
        // Not in the cluster yet.
        assert_eq!(ports(&[0; 12]), Some(vec![]));
    }

    #[test]
    fn nobody_answers_where_nobody_listens() {
        assert!(!answers(crate::free_port().unwrap()));
    }
}
