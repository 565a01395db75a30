//! The declaration of a stream's events. Names, groups, versions, schemas, reading, and writing
//! follow from it.

/// Declares the events of a stream: per event its group, payload, and description.
///
/// ```text
/// Group {
///     /// Description, which is published.
///     Event(Payload),
/// }
/// ```
///
/// `$upcasters` maps the type of an event to its upcasters, oldest first. The present schema
/// version is their number plus 1, so that a new version cannot lack the way to it. Large payloads
/// are boxed, so that a million candidates stay small. `$pattern` becomes a macro that maps the
/// name of a group or of an event to its pattern; see [`ignored`](crate::ignored). `$groups`
/// becomes the enumeration of the groups.
macro_rules! event_types {
    (
        $(#[doc = $events_doc:literal])* $events:ident,
        $(#[doc = $types_doc:literal])* $types:ident,
        $(#[doc = $groups_doc:literal])* $groups:ident,
        $pattern:ident in $module:ident, upcast by $upcasters:path;
        $($group:ident {
            $(
                $(#[doc = $doc:literal])*
                $event:ident($payload:ty),
            )*
        })*
    ) => {
        $(#[doc = $events_doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $events {
            $($($(#[doc = $doc])* $event($payload),)*)*
        }

        $(#[doc = $types_doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
            serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $types {
            $($($(#[doc = $doc])* $event,)*)*
        }

        $(#[doc = $groups_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $groups {
            $(
                #[doc = concat!("Group `", stringify!($group), "`.")]
                $group,
            )*
        }

        impl $types {
            /// Every type, in the order of the specification.
            pub const ALL: &'static [Self] = &[$($(Self::$event,)*)*];

            /// The name, as stored and published.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Self::$event => stringify!($event),)*)*
                }
            }

            /// The type with this name.
            ///
            /// # Errors
            /// [`UnknownType`]($crate::log::DecodeError::UnknownType).
            pub fn from_name(name: &str) -> Result<Self, $crate::log::DecodeError> {
                let found = Self::ALL.iter().copied().find(|event_type| event_type.name() == name);
                found.ok_or_else(|| $crate::log::DecodeError::UnknownType(name.to_owned()))
            }

            /// The group.
            pub const fn group(self) -> $groups {
                match self {
                    $($(Self::$event)|* => $groups::$group,)*
                }
            }

            /// The published description.
            pub const fn description(self) -> &'static str {
                match self {
                    $($(Self::$event => concat!($($doc),*).trim_ascii(),)*)*
                }
            }

            /// The schema version that is written today.
            pub const fn schema_version(self) -> u16 {
                $crate::log::present_version($upcasters(self))
            }

            /// The JSON Schema of the present version's payload, with every field required.
            pub fn schema(self) -> schemars::Schema {
                let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
                let generator = settings.into_generator();
                let mut schema = match self {
                    $($(Self::$event => generator.into_root_schema_for::<$payload>(),)*)*
                };
                schema.insert("description".to_owned(), self.description().into());
                schema
            }
        }

        impl $events {
            /// The type of the event.
            pub const fn event_type(&self) -> $types {
                match self {
                    $($(Self::$event(_) => $types::$event,)*)*
                }
            }

            /// Appends the payload as JSON to `out`.
            ///
            /// # Errors
            /// Never in practice: every payload can be written as JSON.
            pub fn write_payload(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
                match self {
                    $($(Self::$event(payload) => serde_json::to_writer(out, payload),)*)*
                }
            }

            /// Reads a payload of the present schema version.
            ///
            /// # Errors
            /// If the JSON is not a payload of that type.
            pub fn read_payload(event_type: $types, payload: &[u8]) -> serde_json::Result<Self> {
                Ok(match event_type {
                    $($($types::$event => Self::$event($crate::log::read_json(payload)?),)*)*
                })
            }

            /// Reads a stored payload of any published version. Loads, subscriptions, and
            /// replays all read through this function.
            ///
            /// # Errors
            /// If the version is unknown, or the payload is none of its version.
            pub fn decode(
                event_type: $types,
                version: u16,
                payload: &[u8],
            ) -> Result<Self, $crate::log::DecodeError> {
                let read = |payload: &[u8]| Self::read_payload(event_type, payload);
                let upcasters = $upcasters(event_type);
                $crate::log::read_any_version(event_type.name(), upcasters, version, payload, read)
            }

            /// As [`decode`](Self::decode), by the type and the version that a stored event names.
            ///
            /// # Errors
            /// As for [`decode`](Self::decode); the type is unknown.
            pub fn decode_stored(
                stored: &$crate::log::StoredEvent,
            ) -> Result<Self, $crate::log::DecodeError> {
                let event_type = $types::from_name(&stored.event_type)?;
                Self::decode(event_type, stored.schema_version, &stored.payload)
            }
        }

        impl $crate::log::LogEvent for $events {
            fn schema_id(&self) -> $crate::log::SchemaId {
                let event_type = self.event_type();
                $crate::log::SchemaId::new(event_type.name(), event_type.schema_version())
            }

            fn write_payload(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
                self.write_payload(out)
            }
        }

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $pattern {
            $(
                ($group) => { $($crate::$module::$events::$event(_))|* };
                $(($event) => { $crate::$module::$events::$event(_) };)*
            )*
        }
    };
}

pub(crate) use event_types;
