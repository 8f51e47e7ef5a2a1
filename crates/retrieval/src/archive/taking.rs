use tenantry_domain::TenantId;
use tenantry_tenant_store::ArchivedRecord;

use super::reader::ArchiveReader;
use super::sequence::Sequence;
use super::wire::{Line, TenantLine};
use super::{ArchiveFault, ArchiveLimits, ArchiveSource};

/// What a line comes to.
pub(super) enum Taken {
    Tenant(Box<TenantLine>),
    Record(Box<ArchivedRecord>),
    /// What is not read back.
    Nothing,
}

/// Reads an archive from its first line to its last and hands over each line's kind and what it comes to. What is refused then is told
/// with the line's number.
pub(super) fn read(
    mut from: &mut dyn ArchiveSource,
    limits: ArchiveLimits,
    visit: &mut dyn FnMut(&'static str, Taken) -> Result<(), String>,
) -> Result<(), ArchiveFault> {
    from.rewind().map_err(ArchiveFault::Read)?;
    let (mut reader, header) = ArchiveReader::begin(&mut from, limits)?;
    let mut sequence = Sequence::new(header.tenant.clone());
    while let Some(line) = reader.next()? {
        let taken = take(&mut sequence, &header.tenant, line, visit);
        taken.map_err(|why| reader.unreadable(&why))?;
    }
    sequence.end().map_err(|why| reader.unreadable(why))
}

fn take(
    sequence: &mut Sequence,
    tenant: &TenantId,
    line: Line,
    visit: &mut dyn FnMut(&'static str, Taken) -> Result<(), String>,
) -> Result<(), String> {
    sequence.admit(&line)?;
    let (kind, _) = line.kind();
    let read = match line {
        Line::Tenant(line) => Taken::Tenant(line),
        line => match line.record(tenant).map_err(|error| error.to_string())? {
            Some(record) => {
                sequence.follow(&record)?;
                Taken::Record(Box::new(record))
            }
            None => Taken::Nothing,
        },
    };
    visit(kind, read)
}
