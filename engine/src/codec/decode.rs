use super::NO_ENUM;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde_json::Error;

/// Reads the variant called `name` from its content; borrows from `body` where the type does.
pub fn decode<'de, E: Deserialize<'de>>(name: &'de str, body: &'de str) -> Result<E, Error> {
    E::deserialize(Typed { name, body })
}

/// Answers for an enum only: its variant is `name`, its content stands in `body`.
#[derive(Clone, Copy)]
struct Typed<'a> {
    name: &'a str,
    body: &'a str,
}

impl<'de, 'a: 'de> Deserializer<'de> for Typed<'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom(NO_ENUM))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // Not left to serde: `#[serde(other)]` would swallow a type that the program does not know.
        if !variants.contains(&self.name) {
            return Err(de::Error::unknown_variant(self.name, variants));
        }
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de, 'a: 'de> EnumAccess<'de> for Typed<'a> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(IntoDeserializer::<Error>::into_deserializer(self.name))?, self))
    }
}

impl<'de, 'a: 'de> VariantAccess<'de> for Typed<'a> {
    type Error = Error;

    // Fields that a unit variant once had are of no interest, as unknown fields of a struct are not.
    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        whole(self.body, |json| seed.deserialize(json))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        whole(self.body, |json| json.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        whole(self.body, |json| json.deserialize_map(visitor))
    }
}

type Reader<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

/// Reads a value and refuses what follows it.
fn whole<'de, T>(
    body: &'de str,
    read: impl FnOnce(&mut Reader<'de>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_str(body);
    let value = read(&mut json)?;
    json.end()?;
    Ok(value)
}
