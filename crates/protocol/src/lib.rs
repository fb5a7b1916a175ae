//! What goes over the wire: challenge, salt and solution; issue and verify.
