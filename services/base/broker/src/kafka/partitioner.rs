//! Which partition librdkafka and Java's producer choose for a key: `murmur2_random` hashes it with
//! Kafka's seed, and takes the 31 lower bits modulo the number of partitions. The hash is
//! `MurmurHash2` (<https://github.com/aappleby/smhasher/blob/master/src/MurmurHash2.cpp>).

use innkeeper_kit::log::Partition;

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;

/// The partition of a key, of so many; `None` if there are none.
pub fn partition_of(key: &str, count: i32) -> Option<Partition> {
    let positive = (murmur2(key.as_bytes()) & 0x7fff_ffff).cast_signed();
    let number = positive.checked_rem(count)?;
    Some(Partition { number, count })
}

fn murmur2(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks();
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut hash = words.iter().fold(SEED ^ length, |hash, word| {
        let word = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        let word = (word ^ (word >> 24)).wrapping_mul(MULTIPLIER);
        hash.wrapping_mul(MULTIPLIER) ^ word
    });
    if !rest.is_empty() {
        let mut word = [0; 4];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u32::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_hashes_that_kafka_gives_them() {
        for (key, expected) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), expected, "{key}");
        }
    }

    #[test]
    fn a_topic_without_partitions_has_none_for_a_key() {
        assert_eq!(partition_of("abc", 0), None);
        assert_eq!(partition_of("abc", 1), Some(Partition::ONLY));
    }
}
