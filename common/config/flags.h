// Command-line options whose values are choices of the configuration.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "common/config/device.h"
#include "common/config/enums.h"

namespace srlm::config {

/// An option whose values are those of an enumeration.
template <class E>
CLI::Option* AddChoice(CLI::App& app, const std::string& name, E& value, const std::string& what) {
  std::vector<std::string> names;
  for (const auto& [each, spelling] : NamesOf(E{})) names.emplace_back(spelling);
  return app
      .add_option_function<std::string>(
          name, [&value](const std::string& text) { value = *Find<E>(text); }, what)
      ->check(CLI::IsMember(names))
      ->default_str(std::string(NameOf(value)));
}

/// --device and --dtype; both need `needs`, where it is not null.
inline void AddDevice(CLI::App& app, DeviceChoice& choice, CLI::Option* needs = nullptr) {
  CLI::Option* const device = AddChoice(app, "--device", choice.device,
                                        "What is computed on; with cuda each rank takes a device of its host, through "
                                        "the plug-in of `make cuda`");
  CLI::Option* const dtype = AddChoice(
      app, "--dtype", choice.dtype, "How matrices are held while they are computed with [float32; on cuda bfloat16]");
  if (needs == nullptr) return;
  device->needs(needs);
  dtype->needs(needs);
}

}  // namespace srlm::config
