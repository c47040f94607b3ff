/* The C ABI of the Rust crate beside this file. Strings are UTF-8 with a size and no closing zero.
 * Functions that return int give 0, or 1 with a message in *error that the caller frees; they never panic.
 * A tokenizer, template or detector may be used by many threads at once after its load. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SrlmTextTokenizer SrlmTextTokenizer;
typedef struct SrlmTextTemplate SrlmTextTemplate;
typedef struct SrlmTextLanguageDetector SrlmTextLanguageDetector;

/* Owned by the caller: srlm_text_free_bytes, srlm_text_free_ids. */
typedef struct SrlmTextBytes {
  uint8_t* data;
  size_t size;
} SrlmTextBytes;
typedef struct SrlmTextIds {
  int32_t* data;
  size_t size;
} SrlmTextIds;

/* Where `stand_in` is in a text, `original` is meant, but only after special tokens were looked for. */
typedef struct SrlmTextStandIn {
  uint32_t stand_in;
  uint32_t original;
} SrlmTextStandIn;

void srlm_text_free_bytes(SrlmTextBytes bytes);
void srlm_text_free_ids(SrlmTextIds ids);
/* Bytes of the longest valid UTF-8 start; `size` when all of it is valid. */
size_t srlm_text_valid_utf8(const uint8_t* text, size_t size);

/* From the content of a tokenizer.json; truncation and padding that it may name are dropped. */
int srlm_text_tokenizer_load(const uint8_t* json, size_t size, SrlmTextTokenizer** out, SrlmTextBytes* error);
void srlm_text_tokenizer_free(SrlmTextTokenizer* tokenizer);
/* No BOS or EOS is added. parse_special: special tokens' text becomes their ids, else ordinary tokens. */
int srlm_text_tokenizer_encode(const SrlmTextTokenizer* tokenizer, const uint8_t* text, size_t size, bool parse_special,
                               const SrlmTextStandIn* stand_ins, size_t stand_in_count, SrlmTextIds* out,
                               SrlmTextBytes* error);
int srlm_text_tokenizer_decode(const SrlmTextTokenizer* tokenizer, const int32_t* ids, size_t count, bool skip_special,
                               SrlmTextBytes* out, SrlmTextBytes* error);
bool srlm_text_tokenizer_has_id(const SrlmTextTokenizer* tokenizer, int32_t id);
/* One more than the largest id. */
int32_t srlm_text_tokenizer_id_limit(const SrlmTextTokenizer* tokenizer);
size_t srlm_text_tokenizer_special_count(const SrlmTextTokenizer* tokenizer);
/* The text of special token `index`, borrowed from the tokenizer. */
const uint8_t* srlm_text_tokenizer_special(const SrlmTextTokenizer* tokenizer, size_t index, size_t* size);

/* A Jinja chat template in the environment of Hugging Face's transformers; errors start with "line N: ". */
int srlm_text_template_load(const uint8_t* source, size_t size, SrlmTextTemplate** out, SrlmTextBytes* error);
void srlm_text_template_free(SrlmTextTemplate* chat_template);
int srlm_text_template_render(const SrlmTextTemplate* chat_template, const uint8_t* variables_json, size_t size,
                              SrlmTextBytes* out, SrlmTextBytes* error);

/* Tells languages that are written in Latin letters apart. */
int srlm_text_language_load(SrlmTextLanguageDetector** out, SrlmTextBytes* error);
void srlm_text_language_free(SrlmTextLanguageDetector* detector);
/* *out: ISO 639-1 code in small letters; empty when no language can be told. */
int srlm_text_language_detect(const SrlmTextLanguageDetector* detector, const uint8_t* text, size_t size,
                              SrlmTextBytes* out, SrlmTextBytes* error);

#ifdef __cplusplus
}
#endif
