use super::NO_ENUM;
use crate::Json;
use serde::ser::{self, Impossible, Serialize, SerializeStruct, SerializeTuple, Serializer};
use serde_json::Error;

/// An event could not be written as JSON, or is no enum of serde's plain form.
#[derive(Debug, thiserror::Error)]
#[error("cannot write an event as JSON: {0}")]
pub struct CodecError(#[source] pub(super) Error);

impl CodecError {
    /// What was written says something else, or nothing.
    pub(crate) fn unreadable(problem: &dyn std::error::Error) -> Self {
        let why = crate::error_text(problem);
        Self(ser::Error::custom(format!("what would be stored cannot be read back: {why}")))
    }
}

/// The name of the event's variant, and its content as JSON.
///
/// A unit variant writes `{}`, so that fields with a default can be added to it later.
pub fn encode<E: Serialize>(event: &E) -> Result<(&'static str, Json), CodecError> {
    let mut json = serde_json::Serializer::new(Vec::with_capacity(256));
    let name = event.serialize(Capture(&mut json)).map_err(CodecError)?;
    let text = String::from_utf8(json.into_inner()).map_err(|e| CodecError(ser::Error::custom(e)))?;
    Ok((name, Json::stored(text)))
}

type Output = serde_json::Serializer<Vec<u8>>;

/// Accepts an enum only: answers with the variant's name and writes its content.
struct Capture<'a>(&'a mut Output);

/// The content of a tuple or struct variant while it is written.
struct Content<S> {
    variant: &'static str,
    inner: S,
}

macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $answer:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$answer, Error> {
            Err(ser::Error::custom(NO_ENUM))
        })*
    };
}

impl<'a> Serializer for Capture<'a> {
    type Ok = &'static str;
    type Error = Error;
    type SerializeSeq = Impossible<Self::Ok, Error>;
    type SerializeTuple = Impossible<Self::Ok, Error>;
    type SerializeTupleStruct = Impossible<Self::Ok, Error>;
    type SerializeMap = Impossible<Self::Ok, Error>;
    type SerializeStruct = Impossible<Self::Ok, Error>;
    type SerializeTupleVariant = Content<<&'a mut Output as Serializer>::SerializeTuple>;
    type SerializeStructVariant = Content<<&'a mut Output as Serializer>::SerializeStruct>;

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Self::Ok, Error> {
        SerializeStruct::end(self.0.serialize_struct("", 0)?)?;
        Ok(variant)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        content: &T,
    ) -> Result<Self::Ok, Error> {
        content.serialize(self.0)?;
        Ok(variant)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Ok(Content { variant, inner: self.0.serialize_tuple(len)? })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Ok(Content { variant, inner: self.0.serialize_struct(name, len)? })
    }

    // `#[serde(transparent)]` and newtypes around an enum are the enum.
    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        inner: &T,
    ) -> Result<Self::Ok, Error> {
        inner.serialize(self)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<Self::Ok, Error> {
        Err(ser::Error::custom(NO_ENUM))
    }

    refuse! {
        serialize_bool(bool) -> Self::Ok;
        serialize_i8(i8) -> Self::Ok;
        serialize_i16(i16) -> Self::Ok;
        serialize_i32(i32) -> Self::Ok;
        serialize_i64(i64) -> Self::Ok;
        serialize_u8(u8) -> Self::Ok;
        serialize_u16(u16) -> Self::Ok;
        serialize_u32(u32) -> Self::Ok;
        serialize_u64(u64) -> Self::Ok;
        serialize_f32(f32) -> Self::Ok;
        serialize_f64(f64) -> Self::Ok;
        serialize_char(char) -> Self::Ok;
        serialize_str(&str) -> Self::Ok;
        serialize_bytes(&[u8]) -> Self::Ok;
        serialize_none() -> Self::Ok;
        serialize_unit() -> Self::Ok;
        serialize_unit_struct(&'static str) -> Self::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
    }
}

impl<S: SerializeTuple<Ok = (), Error = Error>> ser::SerializeTupleVariant for Content<S> {
    type Ok = &'static str;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, field: &T) -> Result<(), Error> {
        self.inner.serialize_element(field)
    }

    fn end(self) -> Result<Self::Ok, Error> {
        self.inner.end()?;
        Ok(self.variant)
    }
}

impl<S: SerializeStruct<Ok = (), Error = Error>> ser::SerializeStructVariant for Content<S> {
    type Ok = &'static str;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, field: &T) -> Result<(), Error> {
        self.inner.serialize_field(key, field)
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), Error> {
        self.inner.skip_field(key)
    }

    fn end(self) -> Result<Self::Ok, Error> {
        self.inner.end()?;
        Ok(self.variant)
    }
}
