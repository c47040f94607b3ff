#include "coordinator/launcher/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace srlm::launcher {
namespace {

constexpr std::array<std::string_view, 5> kMpiPrefixes = {"OMPI_", "PMIX_", "ORTE_", "OPAL_", "PRTE_"};

bool LeftByMpi(std::string_view name) {
  if (name == "OMPI_ALLOW_RUN_AS_ROOT" || name == "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM") return false;
  return std::ranges::any_of(kMpiPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

Environment CleanEnvironment() { return CleanEnvironment(environ); }

Environment CleanEnvironment(const char* const* entries) {
  Environment environment;
  for (; entries != nullptr && *entries != nullptr; ++entries) {
    const std::string_view entry = *entries;
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos || LeftByMpi(entry.substr(0, equals))) continue;
    environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

Environment LaptopEnvironment(bool is_root) {
  Environment environment = {
      {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
      {"OMPI_MCA_mpi_yield_when_idle", "1"},  // a 16 KB allreduce of 4 ranks on 2 cores: 69 us, without it 20.9 ms
      {"OMPI_MCA_btl", "self,vader,tcp"},
      {"OMPI_MCA_btl_tcp_if_include", "lo"},
      {"OMPI_MCA_oob_tcp_if_include", "lo"},
      // Containers often forbid reading another process's memory, and the failure shows only in the first message.
      {"OMPI_MCA_btl_vader_single_copy_mechanism", "none"},
      {"OMPI_MCA_plm_rsh_agent", ""},  // every rank is on this host: ssh is not looked for
  };
  if (is_root) {
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  }
  return environment;
}

std::vector<std::string> ToEntries(const Environment& environment) {
  std::vector<std::string> entries;
  entries.reserve(environment.size());
  for (const auto& [name, value] : environment) entries.push_back(name + "=" + value);
  return entries;
}

}  // namespace srlm::launcher
