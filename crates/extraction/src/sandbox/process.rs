use std::ffi::OsString;
use std::io::{BufReader, ErrorKind, Read};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::running::Running;
use super::wire::{Frame, Header};
use crate::input::Input;
use crate::out::Out;
use crate::{ExtractError, Extracted, Extractor, FileHint, Limits, Sink};

/// How much time and memory reading one file may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessLimits {
    /// From the start of the reader to its last word.
    pub deadline: Duration,
    /// Processor time in seconds.
    pub cpu_seconds: u64,
    /// Address space in bytes, the program itself included. Kept on Linux alone.
    pub memory_bytes: u64,
}

impl Default for ProcessLimits {
    /// Two minutes, of which one of processor time, and 768 MiB.
    fn default() -> Self {
        Self {
            deadline: Duration::from_mins(2),
            cpu_seconds: 60,
            memory_bytes: 768 << 20,
        }
    }
}

/// Reads each file in a process of its own, which ends with the file, the deadline, or the sink's break.
///
/// The process has an empty environment, no descriptors but its three pipes, and the limits that
/// [`serve`](super::serve) sets. Plain text and Markdown cannot do harm and are read here.
#[derive(Debug, Clone)]
pub struct ProcessExtractor {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    process: ProcessLimits,
}

impl ProcessExtractor {
    /// An extractor that starts `program`, an absolute path, with `arguments`; it must call [`serve`](super::serve).
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            limits: Limits::default(),
            process: ProcessLimits::default(),
        }
    }

    /// Sets how much of a file is read.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets how much time and memory that may take.
    #[must_use]
    pub fn with_process_limits(self, process: ProcessLimits) -> Self {
        Self { process, ..self }
    }

    fn in_process(
        &self,
        input: Input<'_>,
        hint: FileHint<'_>,
        out: &mut Out<'_, '_>,
    ) -> Result<Extracted, ExtractError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().current_dir("/");
        let (mut running, pipes) = Running::start(&mut command, self.process.deadline)?;
        let mut to_reader = pipes.input;
        let header = Header::new(self.limits, self.process, hint);
        let sent = match header.write(&mut to_reader) {
            Ok(()) => input.send(&self.limits, &mut to_reader)?,
            Err(error) => Err(error),
        };
        // A reader that ended early has said why, or its end says it.
        drop((sent, to_reader));
        let mut from_reader = BufReader::new(pipes.output);
        loop {
            match Frame::read(&mut from_reader) {
                Ok(Some(Frame::Text(text))) => out.text(&text)?,
                Ok(Some(Frame::Page(number))) => out.relay_page(number)?,
                Ok(Some(Frame::Done(extracted))) => return Ok(extracted),
                Ok(Some(Frame::Failed(error))) => return Err(error),
                // It may still be writing, and would wait for us to read on.
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(ExtractError::Unavailable(error.into()));
                }
                Ok(None) | Err(_) => return Err(running.why_it_ended()),
            }
        }
    }
}

impl Extractor for ProcessExtractor {
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        let mut out = Out::new(sink, self.limits.text_chars);
        let input = Input::open(file, hint)?;
        let extracted = if input.is_streamed() {
            input.stream(hint, &mut out)?
        } else {
            self.in_process(input, hint, &mut out)?
        };
        out.end(extracted)
    }
}
