use rustix::process::{Resource, Rlimit, setrlimit};

/// Keeps the memory of this process, where keys lie open, out of core dumps and away from other processes of the user.
///
/// Neither step is worth not serving for, so a refusal is logged and no more.
pub fn harden() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        log::warn!("core dumps could not be switched off: {error}");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        log::warn!("other processes of this user could not be kept out of the memory: {error}");
    }
}
