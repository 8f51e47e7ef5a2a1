use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ProcessLimits;

/// How many descriptors a reader may have: the three it was given and a few for what its libraries open.
const DESCRIPTORS: u64 = 16;

/// Takes from this process what reading a file has no need for.
pub(super) fn confine(limits: &ProcessLimits) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    linux()?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Nofile, DESCRIPTORS, DESCRIPTORS)?;
    limit(Resource::Nproc, 0, 0)?;
    // The first limit ends the process by a signal of its own, which tells it from an end from outside.
    limit(
        Resource::Cpu,
        limits.cpu_seconds,
        limits.cpu_seconds.saturating_add(1),
    )?;
    limit_memory(limits.memory_bytes)
}

#[cfg(target_os = "linux")]
fn linux() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal};

    // When the whole machine runs out of memory, this is the process to end. Some containers forbid saying so.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn limit_memory(bytes: u64) -> io::Result<()> {
    limit(Resource::As, bytes, bytes)
}

/// Other systems know the limit and do not keep it, or refuse it for what is mapped from the start.
#[cfg(not(target_os = "linux"))]
fn limit_memory(bytes: u64) -> io::Result<()> {
    let _ = limit(Resource::As, bytes, bytes);
    Ok(())
}

fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    // Only the superuser may raise what an outer sandbox has lowered.
    let outer = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(soft.min(outer)),
        maximum: Some(hard.min(outer)),
    };
    Ok(setrlimit(resource, limit)?)
}
