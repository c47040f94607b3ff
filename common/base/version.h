// The version of srlm, as the programs print it and workers say it when they register.
#pragma once

#define SRLM_VERSION "0.1.0"  // CMakeLists.txt names the same

namespace srlm {
inline constexpr char kVersion[] = SRLM_VERSION;
}
