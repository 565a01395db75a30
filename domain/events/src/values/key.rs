//! Identifiers as tables hold them: typed, and compared as text (1.1).

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Name;

/// The identifier `T` in a table: it keeps its spelling, and compares as a [`Name`] does.
///
/// An event has the plain `T`, which compares by its spelling: it repeats what the table has that
/// owns the identifier.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<T> {
    name: Name,
    id: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// The identifier as events have it.
    pub fn id<'a>(&'a self) -> T
    where
        T: From<&'a Self>,
    {
        T::from(self)
    }
}

impl<T> From<Name> for Key<T> {
    fn from(name: Name) -> Self {
        Self { name, id: PhantomData }
    }
}
impl<T> From<&str> for Key<T> {
    fn from(text: &str) -> Self {
        Name::new(text).into()
    }
}
impl<T> Deref for Key<T> {
    type Target = Name;
    fn deref(&self) -> &Name {
        &self.name
    }
}
impl<T> fmt::Display for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.name, f)
    }
}
impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}
impl<T> Serialize for Key<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de, T> Deserialize<'de> for Key<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Name::deserialize(deserializer).map(Self::from)
    }
}

/// The schema of the identifier.
impl<T: JsonSchema> JsonSchema for Key<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
