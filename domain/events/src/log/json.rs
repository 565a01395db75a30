//! Writes payloads as JSON, in the bytes that `serde_json` writes. It is faster because it copies
//! names and texts whole: they seldom have a character to escape. Payloads have no binary
//! floating-point numbers and no byte strings, so that these are refused.

use std::io::Write;

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer,
};

type JsonResult<T = ()> = serde_json::Result<T>;

/// Writes a value at the end of `out`.
///
/// # Errors
/// The value has something that no payload has.
pub(crate) fn write_json(value: &impl Serialize, out: &mut Vec<u8>) -> JsonResult {
    value.serialize(JsonWriter { out })
}

/// Whether a byte of a text stands for itself in JSON.
const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

fn write_text(text: &str, out: &mut Vec<u8>) -> JsonResult {
    // All bytes are looked at: the compiler does it for many at once.
    let is_plain = text.bytes().fold(true, |is, byte| is & is_plain(byte));
    if !is_plain {
        return serde_json::to_writer(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    Ok(())
}

struct JsonWriter<'o> {
    out: &'o mut Vec<u8>,
}

/// An object or an array whose entries are being written.
struct JsonEntries<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
    end: &'static [u8],
}

impl<'o> JsonEntries<'o> {
    fn begin(out: &'o mut Vec<u8>, begin: u8, end: &'static [u8]) -> JsonResult<Self> {
        out.push(begin);
        Ok(Self { out, is_empty: true, end })
    }

    fn entry(&mut self) -> JsonWriter<'_> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        JsonWriter { out: self.out }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> JsonResult {
        self.out.push(b':');
        value.serialize(JsonWriter { out: self.out })
    }

    fn finish(self) -> JsonResult {
        self.out.extend_from_slice(self.end);
        Ok(())
    }
}

/// Integers are written in decimal digits.
macro_rules! integers {
    ($($method:ident($integer:ty))*) => {$(
        fn $method(self, value: $integer) -> JsonResult {
            write!(self.out, "{value}").map_err(serde_json::Error::custom)
        }
    )*};
}

/// What no payload has.
fn refused<T>(what: &str) -> JsonResult<T> {
    Err(serde_json::Error::custom(format_args!("a payload has no {what}")))
}

impl<'o> Serializer for JsonWriter<'o> {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = JsonEntries<'o>;
    type SerializeTuple = JsonEntries<'o>;
    type SerializeTupleStruct = Impossible<(), serde_json::Error>;
    type SerializeTupleVariant = Impossible<(), serde_json::Error>;
    type SerializeMap = JsonEntries<'o>;
    type SerializeStruct = JsonEntries<'o>;
    type SerializeStructVariant = JsonEntries<'o>;

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    fn serialize_bool(self, value: bool) -> JsonResult {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }
    fn serialize_str(self, value: &str) -> JsonResult {
        write_text(value, self.out)
    }
    fn serialize_char(self, value: char) -> JsonResult {
        write_text(value.encode_utf8(&mut [0; 4]), self.out)
    }
    fn serialize_none(self) -> JsonResult {
        self.serialize_unit()
    }
    fn serialize_unit(self) -> JsonResult {
        self.out.extend_from_slice(b"null");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> JsonResult {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> JsonResult {
        value.serialize(self)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> JsonResult {
        value.serialize(self)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> JsonResult {
        write_text(variant, self.out)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> JsonResult {
        let mut entries = JsonEntries::begin(self.out, b'{', b"}")?;
        SerializeStruct::serialize_field(&mut entries, variant, value)?;
        entries.finish()
    }
    fn serialize_seq(self, _: Option<usize>) -> JsonResult<JsonEntries<'o>> {
        JsonEntries::begin(self.out, b'[', b"]")
    }
    fn serialize_tuple(self, _: usize) -> JsonResult<JsonEntries<'o>> {
        JsonEntries::begin(self.out, b'[', b"]")
    }
    fn serialize_map(self, _: Option<usize>) -> JsonResult<JsonEntries<'o>> {
        JsonEntries::begin(self.out, b'{', b"}")
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> JsonResult<JsonEntries<'o>> {
        JsonEntries::begin(self.out, b'{', b"}")
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> JsonResult<JsonEntries<'o>> {
        self.out.push(b'{');
        write_text(variant, self.out)?;
        self.out.push(b':');
        JsonEntries::begin(self.out, b'{', b"}}")
    }
    fn serialize_f32(self, _: f32) -> JsonResult {
        refused("binary floating-point number")
    }
    fn serialize_f64(self, _: f64) -> JsonResult {
        refused("binary floating-point number")
    }
    fn serialize_bytes(self, _: &[u8]) -> JsonResult {
        refused("bytes")
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> JsonResult<Self::SerializeTupleStruct> {
        refused("tuple with a name")
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> JsonResult<Self::SerializeTupleVariant> {
        refused("tuple with a name")
    }
}

impl SerializeSeq for JsonEntries<'_> {
    type Ok = ();
    type Error = serde_json::Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> JsonResult {
        value.serialize(self.entry())
    }
    fn end(self) -> JsonResult {
        self.finish()
    }
}

impl serde::ser::SerializeTuple for JsonEntries<'_> {
    type Ok = ();
    type Error = serde_json::Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> JsonResult {
        value.serialize(self.entry())
    }
    fn end(self) -> JsonResult {
        self.finish()
    }
}

impl SerializeMap for JsonEntries<'_> {
    type Ok = ();
    type Error = serde_json::Error;
    /// The keys of payloads are texts.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> JsonResult {
        key.serialize(self.entry())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> JsonResult {
        self.value(value)
    }
    fn end(self) -> JsonResult {
        self.finish()
    }
}

impl SerializeStruct for JsonEntries<'_> {
    type Ok = ();
    type Error = serde_json::Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> JsonResult {
        write_text(key, self.entry().out)?;
        self.value(value)
    }
    fn end(self) -> JsonResult {
        self.finish()
    }
}

impl serde::ser::SerializeStructVariant for JsonEntries<'_> {
    type Ok = ();
    type Error = serde_json::Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> JsonResult {
        SerializeStruct::serialize_field(self, key, value)
    }
    fn end(self) -> JsonResult {
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize)]
    enum Kind {
        #[serde(rename = "no value")]
        Unit,
        Wrapped(u8),
        Named {
            a: i64,
            b: Option<&'static str>,
        },
    }

    #[derive(serde::Serialize)]
    struct Sample {
        text: String,
        numbers: (i64, u64, i8),
        truth: bool,
        letter: char,
        nothing: Option<u8>,
        list: Vec<Kind>,
        empty: Vec<u8>,
        map: BTreeMap<String, u64>,
        unit: (),
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
    }

    #[test]
    fn its_bytes_are_those_of_serde_json() {
        let texts = ["", "plain", "ünï – 日本", "\"", "\\", "a\nb", "\u{1f}", "\u{7f}\u{80}", "/"];
        for text in texts {
            let sample = Sample {
                text: text.to_owned(),
                numbers: (i64::MIN, u64::MAX, -1),
                truth: text.is_empty(),
                letter: text.chars().next().unwrap_or('"'),
                nothing: None,
                list: vec![
                    Kind::Unit,
                    Kind::Wrapped(7),
                    Kind::Named { a: -5, b: Some("x\ty") },
                    Kind::Named { a: 0, b: None },
                ],
                empty: Vec::new(),
                map: [(text.to_owned(), 1), ("key \"2\"".to_owned(), 2)].into(),
                unit: (),
                left_out: None,
            };
            let mut written = b"before".to_vec();
            write_json(&sample, &mut written).unwrap();
            let expected = serde_json::to_string(&sample).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), format!("before{expected}"));
        }
    }

    #[test]
    fn what_no_payload_has_is_refused() {
        let mut out = Vec::new();
        assert!(write_json(&1.5_f64, &mut out).unwrap_err().to_string().contains("floating"));
    }
}
