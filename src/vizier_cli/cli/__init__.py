"""Arguments, dispatch, help and the rendering that commands share."""
