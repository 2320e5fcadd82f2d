"""Restoring faces: the geometry against facexlib's own helper, with stand-ins for the networks; the networks against their packages."""
import pickle
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound
from modules.hardware import Hardware
from modules.imaging import face_networks
from modules.imaging.faces import UPRIGHT, FaceRestoration, FaceTools, with_restored_faces
from modules.imaging.known_files import CODEFORMER, FACE_DETECTION, FACE_PARSING, GFPGAN_14, FileMissing


def photo(width: int = 700, height: int = 520) -> Image.Image:
    random = np.random.default_rng(3)
    return Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((width, height), Image.Resampling.BICUBIC)


def landmarks(scale: float = 0.4, turn: float = 20.0, at: tuple[float, float] = (180.0, 90.0)) -> np.ndarray:
    """An upright face made smaller, turned and moved."""
    matrix = cv2.getRotationMatrix2D((256, 256), turn, scale)
    matrix[:, 2] += np.array(at) - (256 - 256 * scale)
    return UPRIGHT @ matrix[:, :2].T + matrix[:, 2]


def finder(*faces: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Says that these are the faces of a picture of 520 px height, whatever it is shown."""
    return lambda pixels: np.array(faces).reshape(-1, 5, 2) * (pixels.shape[0] / 520)


def oval(_: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:512, :512]
    return ((x - 256) / 170) ** 2 + ((y - 270) / 210) ** 2 < 1


def tools(*faces: np.ndarray, restore: Callable[[np.ndarray], np.ndarray] = lambda face: face) -> FaceTools:
    return FaceTools(detect=finder(*faces), restore=restore, covers=oval)


def helper_of_facexlib(image: Image.Image, faces: list[np.ndarray], restore: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The same by facexlib's helper, whose networks are replaced by the stand-ins."""
    from modules.imaging.torchvision_parts import ensure_torchvision

    ensure_torchvision()
    from facexlib.utils.face_restoration_helper import FaceRestoreHelper

    class Detector:
        def detect_faces(self, pixels, threshold):
            return np.array([[0, 0, 9, 9, 0.99, *face.flatten() * (pixels.shape[0] / 520)] for face in faces])

    helper = FaceRestoreHelper.__new__(FaceRestoreHelper)
    helper.upscale_factor, helper.face_size, helper.face_template = 1, (512, 512), UPRIGHT
    helper.template_3points = helper.pad_blur = False
    helper.use_parse, helper.device, helper.face_det = True, torch.device("cpu"), Detector()
    helper.face_parse = lambda face: (torch.from_numpy(oval(None)).float()[None, None] * torch.tensor([0.0, 1.0])[None, :, None, None],)
    helper.clean_all()
    helper.read_image(np.ascontiguousarray(np.asarray(image)[..., ::-1]))
    helper.get_face_landmarks_5(resize=640, eye_dist_threshold=5)
    helper.align_warp_face()
    for face in helper.cropped_faces:
        helper.add_restored_face(restore(face[..., ::-1])[..., ::-1])
    helper.get_inverse_affine(None)
    return helper.paste_faces_to_input_image()[..., ::-1]


@pytest.mark.parametrize("faces", [
    [landmarks()], [landmarks(0.9, -35, (40, -60))], [landmarks(0.2, 0, (50, 60)), landmarks(0.3, 80, (350, 220))],
], ids=["one", "beyond the edge", "two"])
def test_faces_are_cut_out_and_laid_back_as_facexlib_does(faces):
    image, negative = photo(), lambda face: 255 - face
    ours = np.asarray(with_restored_faces(image, tools(*faces, restore=negative))).astype(int)
    peers = helper_of_facexlib(image, faces, negative).astype(int)
    difference = np.abs(ours - peers)
    assert difference.max() <= 2 and difference.mean() < 0.6  # theirs is cut off, ours rounded


def test_a_network_that_changes_nothing_gives_the_picture_back():
    image = photo()
    made = with_restored_faces(image, tools(landmarks()))
    difference = np.abs(np.asarray(made).astype(int) - np.asarray(image))
    assert difference.max() <= 3 and difference.mean() < 0.1  # turning there and back interpolates twice


def test_only_the_face_changes():
    image = photo()
    changed = (np.asarray(with_restored_faces(image, tools(landmarks(), restore=lambda face: 255 - face))) != np.asarray(image)).any(2)
    inside = np.zeros((520, 700), np.uint8)
    corners = np.array([[0, 0], [512, 0], [512, 512], [0, 512]]) - 256
    matrix = cv2.getRotationMatrix2D((256, 256), 20, 0.4)
    centre = np.array([256, 256]) @ matrix[:, :2].T + matrix[:, 2] + np.array([180, 90]) - (256 - 256 * 0.4)
    cv2.fillConvexPoly(inside, np.rint(corners @ matrix[:, :2].T + centre).astype(np.int32), 1)
    assert changed.any() and not changed[inside == 0].any()


def test_a_picture_without_a_face_is_the_same_object():
    image = photo()
    assert with_restored_faces(image, tools()) is image
    tiny_eyes = landmarks(0.02, 0, (100, 100))
    assert with_restored_faces(image, tools(tiny_eyes)) is image


@pytest.mark.parametrize("mode", ["RGBA", "L", "LA"])
def test_alpha_and_mode_are_kept(mode):
    image = photo().convert(mode)
    if "A" in mode:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    made = with_restored_faces(image, tools(landmarks(), restore=lambda face: 255 - face))
    assert made.size == image.size and ("A" not in mode or made.getchannel("A").tobytes() == image.getchannel("A").tobytes())
    assert mode != "L" or made.mode == "L"


def test_landmarks_in_one_point_and_a_picture_of_one_pixel_do_no_harm():
    image = photo()
    folded = np.array([[0.0, 0], [9, 9], [0, 0], [0, 0], [0, 0]])
    assert with_restored_faces(image, tools(folded)).size == image.size
    assert with_restored_faces(Image.new("RGB", (1, 1)), tools()).size == (1, 1)


@pytest.fixture
def restoration(tmp_path) -> FaceRestoration:
    return FaceRestoration(tmp_path, Hardware.detect())


def test_a_missing_file_is_named_with_its_folder_size_and_source(restoration):
    assert restoration.available() == []
    with pytest.raises(FileMissing) as caught:
        restoration.restored(photo(), "gfpgan")
    text = str(caught.value)
    assert caught.value.file is GFPGAN_14 and caught.value.status == 422
    assert "GFPGAN needs GFPGANv1.4.pth in models/GFPGAN" in text and "349 MB" in text and GFPGAN_14.url in text
    with pytest.raises(NotFound, match="CodeFormer, GFPGAN"):
        restoration.restored(photo(), "other")


def test_visibility_0_is_the_identity_and_needs_no_file(restoration):
    image = photo()
    assert restoration.restored(image, "CodeFormer", visibility=0) is image


def test_visibility_blends_and_the_weight_reaches_codeformer(restoration, monkeypatch):
    image, seen = photo(), []
    monkeypatch.setattr(restoration, "missing", lambda name: None)
    negative = tools(landmarks(), restore=lambda face: 255 - face)
    monkeypatch.setattr(restoration, "tools", lambda name, weight: seen.append((name, weight)) or negative)
    whole, half = (np.asarray(restoration.restored(image, "codeformer", weight=0.3, visibility=share)).astype(int) for share in (1, 0.5))
    assert seen == [("CodeFormer", 0.3)] * 2
    assert np.abs(half - (whole + np.asarray(image)) / 2).max() <= 1


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@pytest.mark.parametrize("file", [GFPGAN_14, CODEFORMER, FACE_DETECTION, FACE_PARSING], ids=lambda file: file.name)
def test_no_file_can_run_anything_or_pass_for_another(file, restoration, tmp_path):
    load = {GFPGAN_14: face_networks.load_gfpgan, CODEFORMER: face_networks.load_codeformer,
            FACE_DETECTION: face_networks.load_detector, FACE_PARSING: face_networks.load_parser}[file]
    path = tmp_path / file.name
    path.write_bytes(pickle.dumps({"params_ema": Hostile(tmp_path / "marker")}))
    with pytest.raises(WeightsError):
        load(path, torch.device("cpu"))
    assert not (tmp_path / "marker").exists()
    torch.save({"params_ema": {"a": torch.zeros(2)}}, path)
    with pytest.raises(WeightsError, match="not those of"):
        load(path, torch.device("cpu"))


def synthetic(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Numbers for every tensor of a network, small enough that nothing grows on its way."""
    random = torch.Generator().manual_seed(1)
    return {name: torch.rand(value.shape, generator=random) * 0.1 if value.is_floating_point() else value.clone()
            for name, value in network.state_dict().items()}


@pytest.mark.long
def test_finding_and_parsing_give_what_the_networks_of_facexlib_give(tmp_path):
    from modules.imaging.torchvision_parts import ensure_torchvision

    ensure_torchvision()
    from facexlib.detection.retinaface import RetinaFace
    from facexlib.parsing.parsenet import ParseNet

    pixels = np.asarray(photo(96, 64))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        peer = RetinaFace(device=torch.device("cpu"))
    given = peer.state_dict()
    given["ClassHead.0.conv1x1.bias"] += torch.tensor([-20.0, 20.0] * 2)  # so that something is a face
    torch.save({f"module.{name}": value for name, value in given.items()}, tmp_path / FACE_DETECTION.name)
    found = face_networks.load_detector(tmp_path / FACE_DETECTION.name, torch.device("cpu"))(pixels)
    with torch.inference_mode():
        expected = peer.detect_faces(np.ascontiguousarray(pixels[..., ::-1]), 0.97)
    assert len(found) == len(expected) > 0 and np.allclose(found.reshape(-1, 10), expected[:, 5:])
    parser = ParseNet(in_size=512, out_size=512, parsing_ch=19).eval()
    given = synthetic(parser)
    parser.load_state_dict(given)
    torch.save(given, tmp_path / FACE_PARSING.name)
    face = np.array(photo(64, 64))
    covers = face_networks.load_parser(tmp_path / FACE_PARSING.name, torch.device("cpu"))(face)
    with torch.inference_mode():
        classes = parser(face_networks.as_tensor(face))[0].argmax(1)[0].numpy()
    colours = np.array([0, *[255] * 13, 0, 255, 0, 0, 0])  # as facexlib colours the classes
    assert np.array_equal(covers, colours[classes] == 255)


def test_pixels_become_tensors_and_come_back_unchanged():
    face = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    assert np.array_equal(face_networks.as_pixels(face_networks.as_tensor(face)), face)


@pytest.mark.long
def test_gfpgan_gives_the_same_face_through_its_package_and_through_spandrel(tmp_path):
    from modules.imaging.torchvision_parts import ensure_torchvision

    ensure_torchvision()
    pytest.importorskip("gfpgan")
    from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean

    peer = GFPGANv1Clean(out_size=512, channel_multiplier=2, fix_decoder=False, input_is_latent=True, different_w=True, narrow=1,
                         sft_half=True)
    path = tmp_path / GFPGAN_14.name
    torch.save({"params_ema": peer.state_dict()}, path)
    face = face_networks.as_tensor(np.asarray(photo(512, 512)))
    with torch.inference_mode():
        first = face_networks.load_gfpgan(path, torch.device("cpu"))(face)
        again = face_networks.load_gfpgan(path, torch.device("cpu"))(face)
        torch.manual_seed(face_networks.NOISE_SEED)
        of_package = peer.eval()(face, return_rgb=False)[0]
        torch.manual_seed(face_networks.NOISE_SEED)
        of_spandrel = face_networks.gfpgan_of_spandrel(path)(face, return_rgb=False)[0]
    assert torch.equal(first, again)  # its noise is drawn from the same seed each time
    assert np.array_equal(*(face_networks.as_pixels(each) for each in (first, of_package)))
    assert np.array_equal(*(face_networks.as_pixels(each) for each in (first, of_spandrel)))
