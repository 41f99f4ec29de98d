"""What a request consists of here: a user's state, the encoded bytes, a call's result. Opens no connection."""
