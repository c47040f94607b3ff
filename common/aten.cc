// Only here to own the precompiled ATen header that the other targets reuse.
