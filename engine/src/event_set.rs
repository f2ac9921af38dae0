//! The events that a projection or policy takes.

use crate::{DecodeError, DomainEvent, RecordedEvent, Source, codec, decode_recorded};
use std::borrow::Cow;

/// The events that a projection or policy takes: one aggregate's enum as it is, or an enum of several, made by
/// [`event_set!`](crate::event_set).
pub trait EventSet: Sized + Send + Sync + 'static {
    /// Which part of the log these events come from.
    fn sources() -> Vec<Source>;

    /// Reads one recorded event in today's shape; calls `each` once, or as often as an upcast splits it.
    fn decode(recorded: &RecordedEvent, each: &mut dyn FnMut(Self)) -> Result<(), DecodeError>;
}

impl<E: DomainEvent> EventSet for E {
    fn sources() -> Vec<Source> {
        vec![source_of::<E>()]
    }

    fn decode(recorded: &RecordedEvent, each: &mut dyn FnMut(Self)) -> Result<(), DecodeError> {
        decode_recorded(recorded, each)
    }
}

/// The part of the log that `E` is read from: its variants, and the names that upcasts lead from.
///
/// # Panics
/// When `E` is no enum of serde's plain form: such a type cannot be an event at all.
pub fn source_of<E: DomainEvent>() -> Source {
    let Some(names) = codec::variants::<E>() else {
        panic!("{} must be an enum without serde's tag or untagged", std::any::type_name::<E>())
    };
    let mut types: Vec<Cow<'static, str>> = names.iter().map(|name| Cow::Borrowed(*name)).collect();
    for upcast in E::UPCASTS {
        if !types.iter().any(|known| known == upcast.from()) {
            types.push(upcast.from().into());
        }
    }
    Source::all().category(E::CATEGORY).types(types)
}

/// Makes an enum of the events of several aggregates, for projections and policies over all of them.
///
/// ```
/// # #[derive(serde::Serialize, serde::Deserialize)] pub enum OrderEvent { Placed }
/// # impl annals::DomainEvent for OrderEvent { const CATEGORY: &'static str = "order"; }
/// # #[derive(serde::Serialize, serde::Deserialize)] pub enum StockEvent { Reserved }
/// # impl annals::DomainEvent for StockEvent { const CATEGORY: &'static str = "stock"; }
/// annals::event_set! {
///     /// What happens in the shop.
///     pub enum ShopEvent { Order(OrderEvent), Stock(StockEvent) }
/// }
/// ```
#[macro_export]
macro_rules! event_set {
    ($(#[$doc:meta])* $visible:vis enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident($event:ty)),+ $(,)?
    }) => {
        $(#[$doc])*
        $visible enum $name {
            $($(#[$variant_doc])* #[allow(missing_docs)] $variant($event)),+
        }

        $(impl ::core::convert::From<$event> for $name {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })+

        impl $crate::EventSet for $name {
            fn sources() -> ::std::vec::Vec<$crate::Source> {
                ::std::vec![$($crate::source_of::<$event>()),+]
            }

            fn decode(
                recorded: &$crate::RecordedEvent,
                each: &mut dyn ::core::ops::FnMut(Self),
            ) -> ::core::result::Result<(), $crate::DecodeError> {
                $(if recorded.stream.category() == <$event as $crate::DomainEvent>::CATEGORY {
                    return $crate::decode_recorded::<$event>(recorded, &mut |event| each(Self::$variant(event)));
                })+
                ::core::result::Result::Err($crate::DecodeError::unknown_type(recorded))
            }
        }
    };
}
