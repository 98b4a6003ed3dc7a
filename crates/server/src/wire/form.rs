//! Checks of single fields that every request shares.

use betex_core::command::{NAME_BYTES_MAX, REASON_BYTES_MAX};
use betex_core::types::ClientOrderId;
use tonic::Status;

use super::fault::invalid;

/// A name that must be there.
pub(crate) fn name<'a>(field: &str, text: &'a str) -> Result<&'a str, Status> {
    if text.is_empty() {
        // proto-loader renames the fields unless told not to, and then sends none of them.
        let hint = if field == "market_id" { " (a client of proto-loader needs keepCase: true)" } else { "" };
        return Err(invalid(field, format!("is missing; 1 to {NAME_BYTES_MAX} bytes{hint}")));
    }
    optional_name(field, text)
}

/// A name that may be empty.
pub(crate) fn optional_name<'a>(field: &str, text: &'a str) -> Result<&'a str, Status> {
    within(field, text, NAME_BYTES_MAX)
}

/// Why, for the audit.
pub(crate) fn reason(text: &str) -> Result<Option<Box<str>>, Status> {
    let text = within("reason", text, REASON_BYTES_MAX)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

/// The client's own id of an order, or none.
pub(crate) fn client_order_id(text: &str) -> Result<Option<ClientOrderId>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let text = within("client_order_id", text, ClientOrderId::BYTES_MAX)?;
    ClientOrderId::new(text).map(Some).map_err(|error| invalid("client_order_id", error.to_string()))
}

/// That a client order id comes with a user. Without one, clients who do not know each other would share their
/// ids.
pub(crate) fn check_owned(user: &str) -> Result<(), Status> {
    if user.is_empty() {
        let problem = format!(
            "is missing; a client_order_id is unique per market and user, so give the user_id (1 to \
             {NAME_BYTES_MAX} bytes) that the order is of"
        );
        return Err(invalid("user_id", problem));
    }
    Ok(())
}

fn within<'a>(field: &str, text: &'a str, bytes_max: usize) -> Result<&'a str, Status> {
    if text.len() > bytes_max {
        let problem = format!("{} bytes are too many; at most {bytes_max}", text.len());
        return Err(invalid(field, problem));
    }
    Ok(text)
}

/// A value of an enum that the proto file does not name.
pub(crate) fn unknown_value(field: &str, value: i32, valid: &str) -> Status {
    invalid(field, format!("{value} is not valid; {valid}"))
}
