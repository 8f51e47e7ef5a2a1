//! The whole way from files to vectors, with a network of one table instead of the trained one.

use std::error::Error as _;
use std::fs;

use serde_json::json;

use super::*;
use crate::conformance;

/// The pieces of the tests' vocabulary, each at the place of its id.
pub(super) const VOCABULARY: &str = "[CLS] [SEP] [UNK] refund refunds ##able month take resume 退 - . [ ] \
     a b c d e f g h i j k l m n o p q r s t u v w x y z \
     ##a ##b ##c ##d ##e ##f ##g ##h ##i ##j ##k ##l ##m ##n ##o ##p ##q ##r ##s ##t ##u ##v ##w ##x ##y ##z \
     0 1 2 3 4 5 6 7 8 9 ##0 ##1 ##2 ##3 ##4 ##5 ##6 ##7 ##8 ##9";

/// A `tokenizer.json` with [`VOCABULARY`].
pub(super) fn tokenizer_json() -> String {
    let vocab: serde_json::Map<_, _> = VOCABULARY
        .split(' ')
        .enumerate()
        .map(|(id, piece)| (piece.to_owned(), json!(id)))
        .collect();
    json!({
        "version": "1.0",
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": vocab,
        },
    })
    .to_string()
}

/// A field of a protocol buffer that holds bytes.
fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend(value);
    out
}

/// A field of a protocol buffer that holds a number below 16,384.
fn number(field: u8, value: usize) -> Vec<u8> {
    let low = u8::try_from(value & 0x7f).unwrap();
    let high = u8::try_from(value >> 7).unwrap();
    vec![field << 3, low | 0x80, high]
}

/// An ONNX network that looks each id up in a table of random vectors; field numbers as in `onnx.proto`.
fn onnx(dimension: usize, inputs: [&str; 2]) -> Vec<u8> {
    let rows = VOCABULARY.split(' ').count();
    let mut state = 1_u32;
    let table = (0..rows * dimension).flat_map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0).to_le_bytes()
    });
    let tensor = [
        number(1, rows),
        number(1, dimension),
        number(2, 1),
        bytes(8, b"table"),
        bytes(9, &table.collect::<Vec<_>>()),
    ];
    let value = |name: &str, element: usize| {
        let tensor = number(1, element);
        [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
    };
    let node = [
        bytes(1, b"table"),
        bytes(1, inputs[0].as_bytes()),
        bytes(2, b"vectors"),
        bytes(4, b"Gather"),
    ];
    let graph = [
        bytes(1, &node.concat()),
        bytes(2, b"g"),
        bytes(5, &tensor.concat()),
        bytes(11, &value(inputs[0], 7)),
        bytes(11, &value(inputs[1], 7)),
        bytes(12, &value("vectors", 1)),
    ];
    [
        number(1, 8),
        bytes(7, &graph.concat()),
        bytes(8, &[bytes(1, b""), number(2, 13)].concat()),
    ]
    .concat()
}

const INPUTS: [&str; 2] = ["input_ids", "attention_mask"];

fn folder(onnx: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tokenizer.json"), tokenizer_json()).unwrap();
    fs::write(folder.path().join("model.onnx"), onnx).unwrap();
    folder
}

fn opened() -> LocalEmbedder {
    LocalEmbedder::open(folder(&onnx(DIMENSION, INPUTS)).path()).unwrap()
}

fn refusal(folder: &tempfile::TempDir) -> LocalModelError {
    LocalEmbedder::open(folder.path()).unwrap_err()
}

#[test]
fn the_embedder_conforms() {
    conformance::embedder(&opened());
}

#[test]
fn a_file_of_another_sum_is_another_model() {
    let identity = opened().identity();
    assert_eq!(identity.provider, "local");
    assert_eq!(identity.dimension.map(Dimension::get), Some(384));
    let (name, sum) = identity.name.split_once('@').unwrap();
    assert_eq!((name, sum.len()), ("all-MiniLM-L6-v2", 12));
    assert_eq!(super::name(KNOWN), "all-MiniLM-L6-v2");
}

#[test]
fn a_text_is_read_up_to_the_models_length() {
    let model = opened();
    let whole = ["refund ".repeat(254), "month ".repeat(10)].concat();
    let embedded = model.embed(&[&whole, &"refund ".repeat(254)]).unwrap();
    assert_eq!(embedded.tokens, Some(512));
    assert_eq!(embedded.embeddings[0], embedded.embeddings[1]);
}

#[test]
fn each_missing_file_is_named() {
    for file in ["model.onnx", "tokenizer.json"] {
        let folder = folder(&onnx(DIMENSION, INPUTS));
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = refusal(&folder);
        assert!(matches!(error, LocalModelError::Missing { .. }), "{error:?}");
        assert!(error.to_string().contains(file), "{error}");
        assert!(error.to_string().contains("scripts/fetch-model"), "{error}");
    }
}

#[test]
fn a_file_of_another_kind_is_refused_with_the_reason() {
    let check = |onnx: &[u8], reason: &str| {
        let error = refusal(&folder(onnx));
        assert!(matches!(error, LocalModelError::Unsuitable { .. }), "{error:?}");
        assert!(error.to_string().contains("model.onnx"), "{error}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(reason), "{source}");
    };
    check(b"<html>not found</html>", "");
    check(&onnx(16, INPUTS), "vectors of 16 numbers instead of 384");
    check(&onnx(DIMENSION, ["tokens", "attention_mask"]), "input_ids");
    check(&onnx(DIMENSION, ["input_ids", "mask"]), "attention_mask");
    let cut = onnx(DIMENSION, INPUTS);
    check(&cut[..cut.len() / 2], "");
    let folder = folder(&onnx(DIMENSION, INPUTS));
    fs::write(folder.path().join("tokenizer.json"), "{").unwrap();
    assert!(refusal(&folder).to_string().contains("tokenizer.json"));
}

#[test]
fn a_model_shows_its_name_alone() {
    let shown = format!("{:?}", opened());
    assert!(shown.len() < 100 && shown.contains("all-MiniLM-L6-v2"), "{shown}");
}
