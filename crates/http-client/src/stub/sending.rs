use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Shared;
use crate::{Answer, AnswerBody, Piece};

/// Sends an answer; says whether the connection can carry another one.
pub(super) fn send_answer(stream: &TcpStream, shared: &Shared, answer: Answer) -> io::Result<bool> {
    let mut exchange = Exchange { stream, shared };
    for piece in answer.before_head {
        if !matches!(piece, Piece::Bytes(_)) && !exchange.play(piece)? {
            return Ok(false);
        }
    }
    let mut head = format!("HTTP/1.1 {} Stub\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    match answer.body {
        AnswerBody::Raw(bytes) => exchange.write(&bytes).map(|()| false),
        AnswerBody::Whole(body) => {
            head.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
            let mut bytes = head.into_bytes();
            bytes.extend(body);
            exchange.write(&bytes).map(|()| true)
        }
        AnswerBody::Pieces(pieces) => {
            head.push_str("transfer-encoding: chunked\r\n\r\n");
            exchange.write(head.as_bytes())?;
            for piece in pieces {
                if !exchange.play(piece)? {
                    return Ok(false);
                }
            }
            exchange.write(b"0\r\n\r\n").map(|()| true)
        }
    }
}

struct Exchange<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
}

impl Exchange<'_> {
    /// Takes one step of an answer; says whether to go on.
    fn play(&mut self, piece: Piece) -> io::Result<bool> {
        match piece {
            Piece::Bytes(bytes) => self.chunk(&bytes).map(|()| true),
            Piece::Pause(pause) => Ok(!self.shared.stop.wait(pause)),
            Piece::Open(gate) => {
                gate.open();
                Ok(true)
            }
            Piece::Wait(gate) => {
                while !gate.wait(Duration::from_millis(50)) {
                    if self.shared.stop.is_cancelled() {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Piece::Hold => {
                // Whatever the client sends now, it is not waited for; the end of its half or an error ends this.
                let mut rest = [0; 256];
                while matches!(self.stream.read(&mut rest), Ok(1..)) {}
                self.shared.client_left.open();
                Ok(false)
            }
            Piece::Trickle { bytes, every } => {
                while !self.shared.stop.wait(every) {
                    self.chunk(&bytes)?;
                }
                Ok(false)
            }
            Piece::Break => Ok(false),
        }
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A chunk of no bytes would end the body.
        if bytes.is_empty() {
            return Ok(());
        }
        let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
        framed.extend_from_slice(bytes);
        framed.extend_from_slice(b"\r\n");
        self.write(&framed)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.stream.write_all(bytes);
        if written.is_err() {
            self.shared.client_left.open();
        }
        written
    }
}
