//! Argon2 in memory that goes back to the system after each hash.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{Error, Result};
use argon2::{Algorithm, Argon2, Block, CustomizedPasswordHasher, Params, PasswordHasher, Version};

/// What an allocator asks the system for each time, and gives back at once. Of smaller pieces it keeps some for every thread that
/// ever freed one: with glibc, which decides at 32 MiB, a burst of log-ins would leave half a gigabyte behind.
const GIVEN_BACK: usize = 33 << 20;

/// Argon2id with today's parameters; checks hashes of other parameters too.
#[derive(Clone, Debug)]
pub(super) struct Argon(Argon2<'static>);

impl Argon {
    pub(super) fn new(params: Params) -> Self {
        Self(Argon2::new(Algorithm::Argon2id, Version::default(), params))
    }

    pub(super) fn params(&self) -> &Params {
        self.0.params()
    }
}

/// Memory for one hash. Only the part that is needed is ever touched.
fn memory(params: &Params) -> Vec<Block> {
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(GIVEN_BACK / Block::SIZE));
    memory.resize(blocks, Block::default());
    memory
}

fn hash(
    argon2: &Argon2<'_>,
    ident: Algorithm,
    version: Version,
    password: &[u8],
    salt: &[u8],
) -> Result<PasswordHash> {
    let salt = Salt::new(salt)?;
    let mut buffer = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let out = buffer.get_mut(..length).ok_or(Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password, &salt, out, memory(argon2.params()))?;
    Ok(PasswordHash {
        algorithm: ident.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(Output::new(out)?),
    })
}

impl PasswordHasher<PasswordHash> for Argon {
    fn hash_password_with_salt(&self, password: &[u8], salt: &[u8]) -> Result<PasswordHash> {
        hash(&self.0, Algorithm::Argon2id, Version::default(), password, salt)
    }
}

/// With this comes checking: a hash names its own parameters.
impl CustomizedPasswordHasher<PasswordHash> for Argon {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        hash(&Argon2::new(algorithm, version, params), algorithm, version, password, salt)
    }
}
