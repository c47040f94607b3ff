#!/usr/bin/env python3
"""The include check finds a planted breach of each rule, and leaves a sound tree alone."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import include_check  # noqa: E402

SOUND = {
    "common/base/status.h": "#include <string>\n",
    "worker/block.h": "#include <ATen/ATen.h>\n",
    "worker/client.cc": '#include <grpcpp/grpcpp.h>\n#include "srlm/v1/work.grpc.pb.h"\n#include "common/base/status.h"\n',
    "worker/engine.cc": '#include "worker/block.h"\n',
    "coordinator/main.cc": '#include <glog/logging.h>\n#include "srlm/v1/run.pb.h"\n#include "common/base/status.h"\n',
    "trainer/CMakeLists.txt": "srlm_library(srlm_trainer_lib TORCH\n  SOURCES loss.cc DEPENDS srlm_base)\n",
    "trainer/loss.cc": "#include <vector>\n",
    "build/generated.h": "#include <torch/torch.h>\n",
    "tests/worker/engine_test.cc": '#include "worker/engine.h"\n',
    "worker/engine.h": "",
}


class IncludeCheckTest(unittest.TestCase):
    def messages(self, **planted):
        """Breaches of the sound tree with files added; a__b stands for a/b and the last _ for the dot."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**SOUND, **{plain(key): text for key, text in planted.items()}}.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return [f"{path}:{line}: {message}" for path, line, message in include_check.breaches(Path(folder))]

    def expect_one(self, words, **planted):
        found = self.messages(**planted)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def test_sound_tree_passes(self):
        self.assertEqual(self.messages(), [])

    def test_programs_may_not_include_one_another(self):
        self.expect_one("trainer may not include worker", trainer__step_cc='#include "worker/engine.h"\n')

    def test_layers_of_common_are_kept(self):
        self.expect_one("common/data may not include common/text", common__text__tokenizer_h="",
                        common__data__pairs_cc='#include "common/text/tokenizer.h"\n')

    def test_only_the_plug_in_sees_cuda(self):
        self.assertEqual(self.messages(common__cuda__table_cc="#include <cuda_runtime.h>\n#include <nccl.h>\n"), [])
        for header in ("cuda_runtime.h", "nccl.h", "c10/cuda/CUDAStream.h"):
            found = self.messages(worker__x_cc=f"#include <{header}>\n")
            self.assertEqual(len(found), 1, found)
            self.assertIn("worker may not see CUDA", found[0])

    def test_base_may_not_include_a_generated_proto(self):
        self.expect_one("common/base may not include proto", common__base__x_cc='#include "srlm/v1/run.pb.h"\n')

    def test_coordinator_may_not_include_the_ranks_communicator(self):
        self.expect_one("coordinator may not include common/parallel",
                        coordinator__x_cc='#include "common/parallel/communicator.h"\n',
                        common__parallel__communicator_h="")

    def test_the_model_that_the_coordinator_reads_may_not_see_torch(self):
        self.expect_one("common/model may not see torch", common__model__shard_h="#include <ATen/ATen.h>\n")

    def test_torch_is_seen_through_headers(self):
        found = self.messages(coordinator__a_h='#include "coordinator/b.h"\n',
                              coordinator__b_h="#include <ATen/core/Tensor.h>\n")
        self.assertEqual(len(found), 2, found)
        self.assertIn("coordinator/a.h -> coordinator/b.h -> ATen/core/Tensor.h", found[0])

    def test_torch_and_glog_may_not_meet(self):
        self.expect_one("sees torch and glog",
                        worker__x_cc='#include "worker/block.h"\n#include <glog/logging.h>\n')

    def test_torch_and_grpc_may_not_meet(self):
        self.expect_one("sees torch and gRPC",
                        worker__x_cc='#include "worker/block.h"\n#include "srlm/v1/work.grpc.pb.h"\n')

    def test_files_of_a_torch_target_see_torch(self):
        self.expect_one("its TORCH target", trainer__loss_cc="#include <glog/logging.h>\n")

    def test_torch_torch_h_is_never_included(self):
        self.expect_one("precompiled", worker__x_cc="#include <torch/torch.h>\n")

    def test_coordinator_may_not_see_mpi(self):
        self.expect_one("may not see MPI", coordinator__x_cc="#include <mpi.h>\n")

    def test_relative_include_is_refused(self):
        self.expect_one("not a path from the top", worker__x_cc='#include "engine.h"\n')

    def test_a_test_may_name_the_header_beside_it(self):
        self.assertEqual(self.messages(tests__worker__fixture_h="", tests__worker__x_cc='#include "fixture.h"\n'), [])

    def test_line_of_the_breach_is_named(self):
        self.assertIn("worker/x.cc:3:", self.messages(worker__x_cc='\n\n#include "engine.h"\n')[0])


def plain(key):
    """worker__x_cc -> worker/x.cc"""
    stem, suffix = key.rsplit("_", 1)
    return f"{stem.replace('__', '/')}.{suffix}"


if __name__ == "__main__":
    unittest.main()
