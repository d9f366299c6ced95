//! A walk over JSON that finds keys of which two readers take different ones: a key given twice in one object, at any depth, and
//! one that is a known field's but for the case of its letters.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ManifestError;
use crate::digest::printable;

/// Refuses content that is not JSON, is nested deeper than `serde_json` goes (128), or has keys that not every reader takes for
/// the same.
pub(super) fn refuse_ambiguous_keys(content: &[u8]) -> Result<(), ManifestError> {
    let found = Cell::new(None);
    let walk = Walk { place: Place::Manifest, seed: &RandomState::new(), found: &found };
    let mut json = serde_json::Deserializer::from_slice(content);
    let walked = walk.deserialize(&mut json).and_then(|()| json.end());
    walked.map_err(|error| found.take().unwrap_or_else(|| ManifestError::Json(error.to_string())))
}

/// Where in a manifest a value stands.
#[derive(Clone, Copy)]
enum Place {
    Manifest,
    Descriptor,
    Descriptors,
    /// Where no field is known, and every key is as good as another.
    Elsewhere,
}

impl Place {
    /// The fields that are read of an object in this place, and what stands in each.
    const fn fields(self) -> &'static [(&'static str, Self)] {
        match self {
            Self::Manifest => &[
                ("schemaVersion", Self::Elsewhere),
                ("mediaType", Self::Elsewhere),
                ("artifactType", Self::Elsewhere),
                ("config", Self::Descriptor),
                ("layers", Self::Descriptors),
                ("blobs", Self::Descriptors),
                ("manifests", Self::Descriptors),
                ("subject", Self::Descriptor),
                ("annotations", Self::Elsewhere),
            ],
            Self::Descriptor => &[
                ("mediaType", Self::Elsewhere),
                ("digest", Self::Elsewhere),
                ("size", Self::Elsewhere),
                ("artifactType", Self::Elsewhere),
                ("annotations", Self::Elsewhere),
                ("urls", Self::Elsewhere),
            ],
            Self::Descriptors | Self::Elsewhere => &[],
        }
    }

    /// Where an element of a list in this place stands.
    const fn element(self) -> Self {
        if matches!(self, Self::Descriptors) { Self::Descriptor } else { Self::Elsewhere }
    }
}

/// Any JSON value without such keys.
#[derive(Clone, Copy)]
struct Walk<'a> {
    place: Place,
    seed: &'a RandomState,
    /// Why the walk ended, if not for what `serde_json` says.
    found: &'a Cell<Option<ManifestError>>,
}

impl Walk<'_> {
    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    fn refuse<T, E: Error>(self, why: ManifestError) -> Result<T, E> {
        self.found.set(Some(why));
        Err(E::custom("not every reader would read it alike"))
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(place) = map.next_key_seed(Key { walk: self, seen: &mut seen })? {
            map.next_value_seed(self.at(place))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let element = self.at(self.place.element());
        while seq.next_element_seed(element)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// One key of an object: where its value stands.
struct Key<'a, 'w> {
    walk: Walk<'w>,
    /// The hashes of the object's keys before it: a manifest of the greatest length may have half a million. Two different keys
    /// have the same one in less than one of a hundred million such manifests; it is refused then, and taken the next time, because
    /// each time has a seed of its own.
    seen: &'a mut HashSet<u64>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Place, E> {
        if !self.seen.insert(self.walk.seed.hash_one(key)) {
            return self.walk.refuse(ManifestError::DuplicateKey(printable(key)));
        }
        let known = self.walk.place.fields().iter().find(|(field, _)| is_taken_for(key, field));
        match known {
            None => Ok(Place::Elsewhere),
            Some(&(field, place)) if key == field => Ok(place),
            Some(&(field, _)) => {
                self.walk.refuse(ManifestError::MistakableKey { key: printable(key), field })
            }
        }
    }
}

/// Whether Go's `encoding/json`, by which docker and containerd read, takes a key for the field: it does not look at the case of
/// letters, and two letters beyond ASCII are another case of one within.
fn is_taken_for(key: &str, field: &str) -> bool {
    let folded = key.chars().map(|letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    });
    folded.eq(field.chars().map(|letter| letter.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_for_fields_as_go_takes_them() {
        for key in ["mediaType", "MEDIATYPE", "mediatype", "MediaType"] {
            assert!(is_taken_for(key, "mediaType"), "{key}");
        }
        assert!(is_taken_for("layer\u{17f}", "layers"));
        assert!(is_taken_for("\u{212a}ind", "kind"));
        // Cases of letters that have no ASCII one, and what is no case at all.
        for key in ["media_type", "mediaTypes", "mediaTyp", "medıaType", "mediaTypé", ""] {
            assert!(!is_taken_for(key, "mediaType"), "{key}");
        }
    }
}
