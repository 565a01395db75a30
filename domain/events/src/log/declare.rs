//! The declaration of a stream's events, from which names, schemas, reading and writing follow.

/// Declares the events: one struct a variant, boxed where it is large, so that a million candidates stay small.
macro_rules! event_types {
    (
        $(#[doc = $events_doc:literal])* $events:ident,
        $(#[doc = $types_doc:literal])* $types:ident;
        $($(#[doc = $doc:literal])* $event:ident($payload:ty),)*
    ) => {
        $(#[doc = $events_doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $events {
            $($(#[doc = $doc])* $event($payload),)*
        }

        $(#[doc = $types_doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
            serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $types {
            $($(#[doc = $doc])* $event,)*
        }

        impl $types {
            /// Every type, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$event,)*];

            /// Its name, as stored and published.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$event => stringify!($event),)*
                }
            }

            /// The JSON Schema of the payload's present version, as it is written: every field is there.
            pub fn schema(self) -> schemars::Schema {
                let written = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
                let generator = written.into_generator();
                let mut schema = match self {
                    $(Self::$event => generator.into_root_schema_for::<$payload>(),)*
                };
                schema.insert("description".to_owned(), self.description().into());
                schema
            }

            /// What it says, as documented here.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$event => concat!($($doc),*).trim_ascii(),)*
                }
            }
        }

        impl $events {
            /// Its type.
            pub const fn event_type(&self) -> $types {
                match self {
                    $(Self::$event(_) => $types::$event,)*
                }
            }

            /// Writes the payload as JSON at the end of `out`.
            ///
            /// # Errors
            /// Never in practice: payloads hold nothing that JSON cannot say.
            pub fn write_payload(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
                match self {
                    $(Self::$event(payload) => serde_json::to_writer(out, payload),)*
                }
            }

            /// Reads a payload of the present schema version.
            ///
            /// # Errors
            /// Where the JSON is not a payload of that type.
            pub fn read_payload(event_type: $types, payload: &[u8]) -> serde_json::Result<Self> {
                Ok(match event_type {
                    $($types::$event => Self::$event(serde_json::from_slice(payload)?),)*
                })
            }
        }

        impl $crate::log::LogEvent for $events {
            fn written_as(&self) -> $crate::log::WrittenAs {
                let event_type = self.event_type();
                $crate::log::WrittenAs::of(event_type.name(), event_type.schema_version())
            }

            fn write_payload(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
                self.write_payload(out)
            }
        }
    };
}

pub(crate) use event_types;
