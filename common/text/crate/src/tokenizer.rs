//! A tokenizer.json, encoded as Hugging Face does, or with special tokens' text kept as ordinary text.

use tokenizers::tokenizer::pre_tokenizer::PreTokenizedString;
use tokenizers::{AddedVocabulary, Model, OffsetType, PreTokenizer, Result};

/// A character that stands in a rendered text for the first character of a special token's text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StandIn {
    pub stand_in: u32,
    pub original: u32,
}

pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The same added tokens, with special ones left unmatched.
    text_vocabulary: AddedVocabulary,
    special_tokens: Vec<String>,
    id_limit: i32,
}

fn describe(error: tokenizers::Error) -> String {
    error.to_string()
}

impl Tokenizer {
    pub fn from_json(json: &[u8]) -> std::result::Result<Self, String> {
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(describe)?;
        // A file may carry what a training script last used; Hugging Face's encode drops both too.
        inner.with_truncation(None).map_err(describe)?;
        inner.with_padding(None);
        let mut text_vocabulary = inner.get_added_vocabulary().clone();
        text_vocabulary.set_encode_special_tokens(true);
        let mut special_tokens: Vec<String> = inner
            .get_added_tokens_decoder()
            .into_values()
            .filter(|token| token.special && !token.content.is_empty())
            .map(|token| token.content)
            .collect();
        special_tokens.sort();
        let largest = inner.get_vocab(true).into_values().max();
        let id_limit = largest.map_or(Ok(0), |id| i32::try_from(u64::from(id) + 1));
        let id_limit = id_limit.map_err(|_| "a token id is larger than 2^31 - 2".to_string())?;
        Ok(Tokenizer { inner, text_vocabulary, special_tokens, id_limit })
    }

    pub fn special_tokens(&self) -> &[String] {
        &self.special_tokens
    }

    pub fn id_limit(&self) -> i32 {
        self.id_limit
    }

    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Token ids without any that a post-processor would add. After the special tokens are found, every
    /// stand-in becomes its original again, so that what it hid is encoded as the text it is.
    pub fn encode(
        &self,
        text: &str,
        parse_special: bool,
        stand_ins: &[StandIn],
    ) -> std::result::Result<Vec<i32>, String> {
        let vocabulary =
            if parse_special { self.inner.get_added_vocabulary() } else { &self.text_vocabulary };
        let mut pieces = vocabulary.extract_and_normalize(self.inner.get_normalizer(), text);
        for entry in stand_ins {
            restore(&mut pieces, entry)?;
        }
        self.tokenize(pieces).map_err(describe)
    }

    fn tokenize(&self, mut pieces: PreTokenizedString) -> Result<Vec<i32>> {
        if let Some(pre_tokenizer) = self.inner.get_pre_tokenizer() {
            pre_tokenizer.pre_tokenize(&mut pieces)?;
        }
        pieces.tokenize(|piece| self.inner.get_model().tokenize(piece.get()))?;
        let encoding = pieces.into_encoding(None, 0, OffsetType::None)?;
        Ok(encoding.get_ids().iter().map(|&id| id as i32).collect())
    }

    pub fn decode(&self, ids: &[i32], skip_special: bool) -> std::result::Result<String, String> {
        let mut unsigned = Vec::with_capacity(ids.len());
        for &id in ids {
            unsigned.push(u32::try_from(id).map_err(|_| format!("{id} is not a token id"))?);
        }
        self.inner.decode(&unsigned, skip_special).map_err(describe)
    }
}

fn restore(pieces: &mut PreTokenizedString, entry: &StandIn) -> std::result::Result<(), String> {
    let character = |code: u32| char::from_u32(code).ok_or(format!("{code} is not a character"));
    let stand_in = character(entry.stand_in)?;
    let original = character(entry.original)?.to_string();
    pieces
        .normalize(|piece| if piece.get().contains(stand_in) { piece.replace(stand_in, &original) } else { Ok(()) })
        .map_err(describe)
}
