"""Pure functions of tensors, one module a model of the space; the classes above them only hold dim and c."""
