mod audit;
mod key;
mod tenant;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tenantry_domain::{Email, JobState, Role, TenantId};

pub use audit::{AuditCommand, ExportAudit, NotedEnd, ParseNotedEndError, VerifyAudit};
pub use key::{CreateKey, KeyCommand, NamedKey, OfTenant};
pub use tenant::{EraseTenant, ExportTenant, ImportTenant, VerifyReceipt};

const EXAMPLES: &str = "\
Examples:
  tenantry quickstart                       see it work, with nothing set up
  tenantry serve                            serve, with the settings of the environment
  tenantry user create --email ada@example.org --superuser
  tenantry ingest --tenant acme handbook/
  tenantry ask --tenant acme \"How many days of leave do I have?\"

The environment sets everything else; docs/configuration.md lists every variable.";

/// A multi-tenant retrieval-augmented chat backend: every tenant has its own knowledge, prompt and keys.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Read the variables that the environment does not set from a file of NAME=value lines
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// What to do; `serve` when nothing is named
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve HTTP until told to stop
    Serve(ServeArgs),
    /// Bring the tables of the database to what this version needs
    Migrate(MigrateArgs),
    /// Set up two example tenants in a folder, ask both the same question, and serve
    Quickstart(QuickstartArgs),
    /// Make and change accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Make, look at, move and erase tenants
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Make, list and revoke the API keys of a tenant
    #[command(subcommand)]
    Key(KeyCommand),
    /// Take files and folders into a tenant's knowledge
    Ingest(IngestArgs),
    /// List a tenant's newest jobs
    Jobs(JobsArgs),
    /// Compare the indexes with the records, and repair them
    Reconcile(ReconcileArgs),
    /// Build indexes anew by the configured embedding model while the old ones answer, and go back
    Reindex(ReindexArgs),
    /// Answer a question from a tenant's knowledge
    Ask(AskArgs),
    /// Look at the keys that seal tenants' secrets, and change them
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Verify what the audit log tells, and write it out
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Check a deployment: settings, keys, database, upstreams, clock, disk; and say what to do
    Doctor(DoctorArgs),
    /// Ask the server at `HOST` and `PORT` whether it is alive, as a container's health check does
    Health,
    /// Read one file from standard input, as a server asks for it
    #[command(hide = true)]
    Extract,
}

/// How to serve.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// Refuse to start when migrations are pending, in place of applying them
    #[arg(long)]
    pub no_migrate: bool,
}

/// How to migrate.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Tell which migrations are applied and which are pending, and change nothing
    #[arg(long)]
    pub status: bool,
}

/// Where to set up the example.
#[derive(Debug, Args)]
pub struct QuickstartArgs {
    /// The folder of the database, the keys and the documents' index; a second run resumes it
    #[arg(long, value_name = "FOLDER", default_value = "./tenantry-quickstart")]
    pub dir: PathBuf,
    /// The port to serve at; when it is taken, the next free one
    #[arg(long, default_value_t = 8000, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Stop after the answers, without serving
    #[arg(long)]
    pub once: bool,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account; its password comes from `TENANTRY_PASSWORD`, standard input or a prompt
    #[command(
        after_help = "Examples:\n  tenantry user create --email ada@example.org --superuser\n  \
        tenantry user create --email bo@acme.example --tenant acme --role admin < password.txt"
    )]
    Create(CreateUser),
    /// Make a user a superuser, which ends the user's sessions
    Promote(NamedUser),
    /// Say what a user is in their tenant, which ends the user's sessions: reader, member or admin
    #[command(after_help = "Example:\n  tenantry user role --email bo@acme.example admin")]
    Role(UserRole),
    /// Set a new password, which ends the user's sessions; it comes from where `user create` has it
    Password(NamedUser),
    /// Print a one-time link with which the user sets a new password, good for an hour
    Reset(NamedUser),
}

/// An account to make.
#[derive(Debug, Args)]
pub struct CreateUser {
    /// The address to log in with
    #[arg(long)]
    pub email: Email,
    /// Let the user manage tenants and users
    #[arg(long)]
    pub superuser: bool,
    /// The user's tenant
    #[arg(long, value_name = "ID")]
    pub tenant: Option<TenantId>,
    /// What the user may do there: reader, who asks questions; member, who also searches and hands documents in; or admin, who
    /// manages the tenant
    #[arg(long, value_name = "ROLE", default_value_t = Role::Member, requires = "tenant")]
    pub role: Role,
}

/// A role for an account.
#[derive(Debug, Args)]
pub struct UserRole {
    /// The address that the user logs in with
    #[arg(long)]
    pub email: Email,
    /// What the user may do in their tenant: reader, member or admin
    pub role: Role,
}

/// An account by its address.
#[derive(Debug, Args)]
pub struct NamedUser {
    /// The address that the user logs in with
    #[arg(long)]
    pub email: Email,
}

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// List all tenants by id
    List,
    /// Make a tenant
    #[command(
        after_help = "Example:\n  tenantry tenant create --id acme --name \"Acme Ltd\" \
        --system-prompt \"Answer in one paragraph.\""
    )]
    Create(Box<CreateTenant>),
    /// Show a tenant
    Show(NamedTenant),
    /// Deactivate a tenant, which ends every use of it; its id is never used again
    Deactivate(NamedTenant),
    /// Write all that belongs to a tenant into one archive, without passwords, keys and secrets
    #[command(after_help = "Example:\n  tenantry tenant export --tenant acme --out acme.jsonl.gz")]
    Export(ExportTenant),
    /// Make a tenant of an archive
    #[command(
        after_help = "Stopped and run again, the command begins anew. Until all is there the tenant may not be used."
    )]
    Import(ImportTenant),
    /// Erase a tenant for good, and print a signed receipt
    #[command(
        after_help = "Asks for the id, on a terminal or standard input, unless `--confirm` gives it. Stopped and run again, the command\n\
        goes on; run once more, it prints the receipt again. The id is never used again."
    )]
    Erase(EraseTenant),
    /// Tell whether a receipt of an erasure is sound and signed by this platform
    VerifyReceipt(VerifyReceipt),
}

/// A tenant to make.
#[derive(Debug, Args)]
pub struct CreateTenant {
    /// The id: 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter or a digit; it never changes
    #[arg(long)]
    pub id: TenantId,
    /// The name that people read
    #[arg(long)]
    pub name: String,
    /// The instruction that every answer follows
    #[arg(long, value_name = "TEXT")]
    pub system_prompt: Option<String>,
    /// Read the instruction from a file
    #[arg(long, value_name = "FILE", conflicts_with = "system_prompt")]
    pub system_prompt_file: Option<PathBuf>,
    /// Use the tenant's own Pinecone; the key comes from `TENANTRY_PINECONE_API_KEY`, standard input or a prompt
    #[arg(long)]
    pub with_pinecone_key: bool,
    /// The Pinecone index, when the project has several that fit
    #[arg(long, value_name = "NAME")]
    pub pinecone_index: Option<String>,
    /// The environment of an older Pinecone project, as us-east-1-aws
    #[arg(long, value_name = "NAME")]
    pub pinecone_environment: Option<String>,
}

/// A tenant by its id.
#[derive(Debug, Args)]
pub struct NamedTenant {
    /// The tenant's id
    pub id: TenantId,
}

/// What to take in.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry ingest --tenant acme handbook.pdf notes/\n\n\
    Text, Markdown, HTML, PDF, DOCX, PPTX, XLSX, CSV, EPUB, RTF and EML are told by their content. Folders are taken with all\n\
    that is below them but hidden files; symbolic links in them are not followed. A document is known by the folder's name\n\
    and the path below it, `notes/2026/may.md`, or by the name of a file that is given itself: a changed file replaces its\n\
    document, an unchanged one is skipped. Its title is the file's own, for Markdown its first heading, else its name. Everything that was handed in is durable; stopped and run again, the command goes\n\
    on. The exit code is 1 when a file failed."
)]
pub struct IngestArgs {
    /// The tenant whose knowledge it becomes
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
    /// How many files are worked on at once; without it one a processor, at most 4
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: Option<u8>,
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Whose jobs to list.
#[derive(Debug, Args)]
pub struct JobsArgs {
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
    /// Only those of this state: queued, running, done, failed or cancelled
    #[arg(long, value_name = "STATE")]
    pub state: Option<JobState>,
}

/// One tenant or all.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct WhichTenants {
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub tenant: Option<TenantId>,
    /// Every active tenant whose documents are kept here
    #[arg(long)]
    pub all: bool,
}

/// What to compare.
#[derive(Debug, Args)]
#[command(after_help = "The exit code is 1 when differences are left. It may run beside servers.")]
pub struct ReconcileArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "clap shows a doc comment here as the help of the whole command"
    )]
    pub which: WhichTenants,
    /// Write what is missing from the stored text, and remove what should not be there
    #[arg(long)]
    pub repair: bool,
}

/// What to build.
#[derive(Debug, Args)]
#[command(
    after_help = "Answers come from the old index until the new one is complete, then from the new one at once. The old one is\n\
    kept to go back to until the next build. With --all only indexes of another model are built. Stopped and run again,\n\
    the command goes on."
)]
pub struct ReindexArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "clap shows a doc comment here as the help of the whole command"
    )]
    pub which: WhichTenants,
    /// Go back to the index that was searched before
    #[arg(long, conflicts_with_all = ["abandon", "forget", "all"])]
    pub back: bool,
    /// Remove an index that was begun and never finished
    #[arg(long, conflicts_with_all = ["forget", "all"])]
    pub abandon: bool,
    /// Remove the index that is kept to go back to
    #[arg(long, conflicts_with = "all")]
    pub forget: bool,
}

/// What to ask.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// The tenant whose knowledge answers
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
    /// The question
    pub question: String,
}

/// What to do with sealing keys.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Count the sealed secrets by key, and tell which keys are configured and what to do next
    Status,
    /// Seal every secret with `SECRET_KEY` that another key sealed, while servers go on
    #[command(after_help = ROTATION)]
    Rotate(RotateArgs),
    /// Open every sealed secret without showing it; the exit code is 1 when one does not open
    Verify,
}

const ROTATION: &str = "\
The order in which a key is changed without a failed request:
  1. list the new key in SECRET_KEY_PREVIOUS of every server, and restart them one after another
  2. swap the two: the new one is SECRET_KEY, the old one in SECRET_KEY_PREVIOUS; restart them again
  3. tenantry secrets rotate; stopped and run again, it goes on
  4. tenantry secrets verify
  5. take the old key out of SECRET_KEY_PREVIOUS, and restart them
  6. tenantry secrets rotate --forget-unused";

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = "Nothing is changed. The exit code is 1 when there is a problem; a warning is none.")]
pub struct DoctorArgs {
    /// Also call the providers that tenants brought, with their keys
    #[arg(long)]
    pub tenants: bool,
    /// Write one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How to seal anew.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Also forget the keys that are not configured any more and that nothing is sealed with
    #[arg(long)]
    pub forget_unused: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_that_the_security_page_names_exists() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
        let page = std::fs::read_to_string(page).unwrap();
        let named: Vec<_> = page
            .split('`')
            .filter_map(|code| code.strip_prefix("tenantry "))
            .collect();
        assert!(named.len() > 10, "{named:?}");
        for words in named {
            let mut command = Cli::command();
            for word in words.split(' ') {
                let is_option = word.strip_prefix("--").is_some_and(|word| {
                    let mut options = command.get_arguments();
                    options.any(|option| option.get_long() == Some(word))
                });
                let next = command.find_subcommand(word).cloned();
                assert!(
                    is_option || next.is_some(),
                    "`tenantry {words}`: there is no {word}"
                );
                command = next.unwrap_or(command);
            }
        }
    }

    #[test]
    fn no_secret_is_taken_from_the_command_line() {
        fn check(command: &clap::Command) {
            for argument in command
                .get_arguments()
                .filter(|argument| argument.get_action().takes_values())
            {
                let name = argument.get_id().as_str();
                let secret = ["password", "secret", "api_key", "token"]
                    .iter()
                    .any(|word| name.contains(word));
                assert!(!secret, "{} takes {name}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
